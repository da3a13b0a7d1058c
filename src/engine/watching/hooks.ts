/**
 * Tells the app's hooks. What a hook throws, or rejects with, is logged and changes nothing (DESIGN 8): one that is
 * broken must not break what it watches.
 */
import { messageOf } from "../../core/errors.ts";
import type { ActivityStart, ContextMaker, EventFact, Hooks, TraceContext } from "../../workflow/hooks.ts";
import type { Logger } from "../../workflow/logger.ts";
import type { Metrics } from "./metrics.ts";

/** The methods that are told of a fact. */
export type FactName = Exclude<keyof Hooks, "captureContext" | "withContext" | "aroundActivity" | "aroundSend">;

export type Fact<Name extends FactName> = Parameters<NonNullable<Hooks[Name]>>[0];

/** What hooks put around something, if they do. */
type Around = ((run: () => Promise<void>) => unknown) | undefined;

export class HookRunner {
  /** The app's figures, if it keeps any: told by what is told of facts too, but in numbers, which cost less. */
  readonly figures: Metrics | undefined;
  readonly #hooks: readonly Hooks[];
  readonly #log: Logger;

  constructor(hooks: readonly Hooks[], figures: Metrics | undefined, log: Logger) {
    this.figures = figures;
    this.#hooks = hooks;
    this.#log = log;
  }

  /** Whether there are hooks that may want facts; figures want numbers alone. */
  get areHeard(): boolean {
    return this.#hooks.length > 0;
  }

  /** Calls each that has the method, in their order; a fact that nobody wants is not made. */
  tell<Name extends FactName>(name: Name, make: () => Fact<Name>): void {
    let fact: Fact<Name> | undefined;
    for (const hooks of this.#hooks) {
      if (!hooks[name]) continue;
      fact ??= make();
      this.#guard(name, () => (hooks[name] as (fact: Fact<Name>) => unknown)(fact as Fact<Name>));
    }
  }

  /** What all of them want kept; `undefined` for nothing. */
  capture(maker: ContextMaker): TraceContext | undefined {
    if (!this.areHeard) return undefined;
    const captured = this.#hooks.map((hooks) =>
      textsOf(this.#guard("captureContext", () => hooks.captureContext?.(maker))),
    );
    const merged: TraceContext = Object.assign({}, ...captured);
    return Object.keys(merged).length > 0 ? merged : undefined;
  }

  /** Runs it within what came with a request or an event. */
  within<T>(context: TraceContext | undefined, run: () => Promise<T>): Promise<T> {
    if (!context) return run();
    const around = (hooks: Hooks): Around => hooks.withContext && ((inner) => hooks.withContext?.(context, inner));
    return this.#around("withContext", around, run, () => undefined);
  }

  /** @param failureOf what the hooks take for a failure of what was run */
  aroundActivity<T>(make: () => ActivityStart, run: () => Promise<T>, failureOf: (outcome: T) => Failure): Promise<T> {
    const around = (hooks: Hooks): Around => hooks.aroundActivity && ((inner) => hooks.aroundActivity?.(make(), inner));
    return this.#around("aroundActivity", around, run, failureOf);
  }

  /** @param failureOf what the hooks take for a failure of what was run */
  aroundSend<T>(make: () => EventFact, run: () => Promise<T>, failureOf: (outcome: T) => Failure): Promise<T> {
    const around = (hooks: Hooks): Around => hooks.aroundSend && ((inner) => hooks.aroundSend?.(make(), inner));
    return this.#around("aroundSend", around, run, failureOf);
  }

  #around<T>(
    name: keyof Hooks,
    aroundOf: (hooks: Hooks) => Around,
    run: () => Promise<T>,
    failureOf: (outcome: T) => Failure,
  ): Promise<T> {
    // Figures alone have nothing to put around it.
    if (!this.areHeard) return run();
    const arounds = this.#hooks.flatMap((hooks) => aroundOf(hooks) ?? []);
    return this.#nest(name, arounds, run, failureOf);
  }

  /** The first is outermost. What one of them has not run when it returns is run without it. */
  #nest<T>(
    name: keyof Hooks,
    [around, ...rest]: readonly NonNullable<Around>[],
    run: () => Promise<T>,
    failureOf: (outcome: T) => Failure,
  ): Promise<T> {
    if (!around) return run();
    let running: Promise<T> | undefined;
    let told: Promise<void> | undefined;
    const begin = (): Promise<T> => {
      running ??= this.#nest(name, rest, run, failureOf);
      return running;
    };
    this.#guard(name, () => {
      const returned: unknown = around(() => {
        told ??= tellOf(begin(), failureOf);
        return told;
      });
      return returned instanceof Promise ? ownFailure(returned, told) : returned;
    });
    return begin();
  }

  #guard<T>(name: string, call: () => T): T | undefined {
    const tell = (error: unknown): void => this.#log.error("A hook failed.", { hook: name, error: messageOf(error) });
    try {
      const returned = call();
      if (returned instanceof Promise) returned.catch(tell);
      return returned;
    } catch (error) {
      tell(error);
      return undefined;
    }
  }
}

/** What can be kept of what a hook gave: texts by their names. */
function textsOf(captured: unknown): TraceContext {
  if (typeof captured !== "object" || captured === null) return {};
  return Object.fromEntries(Object.entries(captured).filter(([, value]) => typeof value === "string"));
}

/** The promise that a hook is given. */
function tellOf<T>(running: Promise<T>, failureOf: (outcome: T) => Failure): Promise<void> {
  const told = running.then((outcome) => {
    const failure = failureOf(outcome);
    if (failure) throw failure.error;
  });
  // A hook that does not look at it has nothing to handle.
  told.catch(() => {});
  return told;
}

/** Rejects as the hook does, unless it passes on how that ended which it has run. */
async function ownFailure(returned: Promise<unknown>, told: Promise<void> | undefined): Promise<void> {
  try {
    await returned;
  } catch (error) {
    const passedOn = await told?.then(
      () => undefined,
      (failure: unknown) => ({ failure }),
    );
    if (passedOn?.failure !== error) throw error;
  }
}

/** Why an attempt counts as failed; `undefined` when it does not. */
export type Failure = { readonly error: unknown } | undefined;
