/** Functions that a test puts in the place of activities, compensations and workflows. */
import type { ActivityContext, WorkflowContext } from "../index.ts";

/** An activity, a compensation or a workflow: its name, and the function behind it. */
export interface Definition<Ctx, Args extends readonly unknown[], Result> {
  readonly name: string;
  readonly fn: (ctx: Ctx, ...args: Args) => Result | Promise<Result>;
}

/** One call that came to a stub: an attempt of an activity, or the first run of a workflow's code. */
export interface StubCall<Args extends readonly unknown[]> {
  readonly instanceId: string;
  readonly args: Args;
  /** Of an activity: its operation, such as `charge:1`. */
  readonly activityId: string | undefined;
  /** Of an activity: counted from 1. */
  readonly attempt: number | undefined;
}

/** What runs in place of a definition's function, and what was asked of it. */
export interface Stub<Args extends readonly unknown[] = readonly unknown[]> {
  /** In the order in which they came. */
  readonly calls: readonly StubCall<Args>[];
  /** Lets the next calls fail, so many of them, before the function is run. */
  failFirst(times: number, error?: Error): Stub<Args>;
  /** Puts the definition's own function back. */
  restore(): void;
}

type AnyFunction = (ctx: never, ...args: never) => unknown;

type AnyContext = ActivityContext | WorkflowContext;

class PlacedStub implements Stub {
  readonly calls: StubCall<readonly unknown[]>[] = [];
  readonly #fn: AnyFunction | undefined;
  readonly #remove: () => void;
  #failures: Error[] = [];

  constructor(fn: AnyFunction | undefined, remove: () => void) {
    this.#fn = fn;
    this.#remove = remove;
  }

  failFirst(times: number, error: Error = new Error("This call was told to fail.")): this {
    this.#failures = Array.from({ length: times }, () => error);
    return this;
  }

  restore(): void {
    this.#remove();
  }

  call(own: AnyFunction, ctx: AnyContext, args: readonly unknown[]): unknown {
    this.#note(ctx, args);
    const failure = this.#failures.shift();
    if (failure) throw failure;
    return (this.#fn ?? own)(ctx as never, ...(args as never));
  }

  #note(ctx: AnyContext, args: readonly unknown[]): void {
    const { instanceId } = ctx;
    const isActivity = "activityId" in ctx;
    // A workflow's code is run again at each replay.
    if (!isActivity && this.calls.some((call) => call.instanceId === instanceId)) return;
    const [activityId, attempt] = isActivity ? [ctx.activityId, ctx.attempt] : [];
    this.calls.push({ instanceId, args, activityId, attempt });
  }
}

export class Stubs {
  readonly #activities = new Map<string, PlacedStub>();
  readonly #workflows = new Map<string, PlacedStub>();

  /** Takes the place of an earlier one of the name. */
  place(definition: string | Definition<never, never, unknown>, fn: AnyFunction | undefined): Stub {
    const name = typeof definition === "string" ? definition : definition.name;
    // Of definitions, workflows alone can be started.
    const places = typeof definition !== "string" && "start" in definition ? this.#workflows : this.#activities;
    const stub: PlacedStub = new PlacedStub(fn, () => {
      if (places.get(name) === stub) places.delete(name);
    });
    places.set(name, stub);
    return stub;
  }

  /** Runs the body of an activity or a compensation. */
  activity(
    { name, fn }: { readonly name: string; readonly fn: AnyFunction },
    ctx: ActivityContext,
    args: readonly unknown[],
  ): unknown {
    const stub = this.#activities.get(name);
    return stub ? stub.call(fn, ctx, args) : fn(ctx as never, ...(args as never));
  }

  /** Runs the code of a workflow. */
  workflow(
    { name, fn }: { readonly name: string; readonly fn: AnyFunction },
    ctx: WorkflowContext,
    args: readonly unknown[],
  ): unknown {
    const stub = this.#workflows.get(name);
    return stub ? stub.call(fn, ctx, args) : fn(ctx as never, ...(args as never));
  }
}
