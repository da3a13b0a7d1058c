/** An app for tests: on a database in memory, with time that a test lets pass, stubs and crashes. */
import { deepStrictEqual } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  type ActivityContext,
  AppStateError,
  type Duration,
  type EventInput,
  type InstanceDescription,
  type PublishOptions,
  ResultTimeoutError,
  type Romancy,
  type RomancyOptions,
  type SentMessage,
  type Startable,
  type StartOptions,
  ValidationError,
  type Workflow,
  type WorkflowHandle,
  type WorkflowStarter,
} from "../index.ts";
import { Bodies } from "./bodies.ts";
import { type CrashPoint, CrashPoints } from "./crash-points.ts";
import { StuckError } from "./errors.ts";
import { Lives } from "./lives.ts";
import { operationsOf } from "./operations.ts";
import { Passage } from "./passage.ts";
import { untilSettled } from "./result.ts";
import { standingOf } from "./standing.ts";
import { type Definition, type Stub, Stubs } from "./stubs.ts";
import { VirtualClock } from "./virtual-clock.ts";

/**
 * What a test app can be told: all that an app can, but for its database. Unless a `logger` is given it is silent, and unless
 * a `shutdownTimeout` is given activities that run at the end are waited for no longer than one second, of real time.
 */
export interface TestAppOptions extends Omit<RomancyOptions, "database" | "pool" | "worker" | "~seams"> {
  /** What time it is at first. Default: the first of January 2026, UTC, so that tests see the same times in each run. */
  readonly now?: Date | number;
  /** Of what chance decides, such as the jitter of retries and `ctx.random()`. Default 1. */
  readonly seed?: number;
}

/** What names an instance. */
type Instance = string | { readonly id: string };

const START = Date.UTC(2026, 0, 1);

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * A started app for tests. Workflows are started with it in place of an app; the handles that this gives let time pass
 * while they wait for a result. Time passes nowhere else but in `advance`, `setTime` and `runUntilIdle`.
 *
 * @example
 * await using app = await startTestApp({ workflows: [order] });
 * const charged = app.stub(charge, async () => ({ payment: "PAY-1" }));
 * const handle = await order.start(app, "ORD-1", 99.99);
 * await app.untilWaiting(handle, "payment.completed");
 * await app.sendEvent({ type: "payment.completed", source: "test", subject: "ORD-1", data: { status: "paid" } });
 * expect(await handle.result()).toEqual({ status: "paid" });
 * expect(charged.calls).toHaveLength(1);
 */
export class TestApp implements WorkflowStarter, AsyncDisposable {
  #options: RomancyOptions;
  readonly #clock: VirtualClock;
  readonly #bodies: Bodies;
  readonly #stubs = new Stubs();
  readonly #points = new CrashPoints();
  readonly #lives: Lives;
  readonly #passage: Passage;

  /** For `startTestApp`. */
  constructor({ now = START, seed = 1, ...options }: TestAppOptions) {
    this.#options = { logger: SILENT, shutdownTimeout: "1s", ...options, database: ":memory:" };
    this.#clock = new VirtualClock(timeOf(now), seed);
    this.#bodies = new Bodies(this.#clock);
    const parts = { clock: this.#clock, bodies: this.#bodies, stubs: this.#stubs, points: this.#points };
    this.#lives = new Lives(this.#options, parts);
    this.#passage = new Passage(this.#clock, {
      isMoving: () => this.#lives.isMoving,
      tidy: async () => (await this.#lives.alive()).app["~testing"].tidy(),
    });
  }

  /**
   * The app itself, for all that is not here. After a crash it is another one.
   *
   * @throws AppStateError while one is starting
   */
  get app(): Romancy {
    const { app } = this.#lives;
    if (app) return app;
    throw new AppStateError("The app is starting at this moment: `await app.settle()` first.");
  }

  /** What time it is in the workflows, in epoch milliseconds. */
  get now(): number {
    return this.#clock.now();
  }

  /** How often the app has died. */
  get crashes(): number {
    return this.#lives.crashes;
  }

  /** How many transactions it has written; those that a crash prevented count too. */
  get commits(): number {
    return this.#lives.commits;
  }

  /** Resolves when it has started; `startTestApp` has waited for that. */
  async started(): Promise<void> {
    await this.#lives.alive();
  }

  /** Shuts the app down and forgets its database. */
  async shutdown(): Promise<void> {
    await this.#lives.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** Lets so much time pass, and all happen that falls due in it. */
  async advance(duration: Duration): Promise<void> {
    const milliseconds = await this.#milliseconds(duration, "The time to advance by");
    await this.#passage.to(this.now + milliseconds);
  }

  /**
   * Lets time pass up to a point.
   *
   * @throws ValidationError for one that has passed
   */
  async setTime(time: Date | number): Promise<void> {
    const target = timeOf(time);
    if (target < this.now) {
      throw new ValidationError(
        `Time does not go back: it is ${new Date(this.now).toISOString()}, and was to be set to ${new Date(target).toISOString()}.`,
      );
    }
    await this.#passage.to(target);
  }

  /** Lets all happen that needs no time: resolves when nothing is left to do but wait. */
  async settle(): Promise<void> {
    await this.#passage.settle();
  }

  /**
   * Lets time pass until nothing is left that time alone would bring about: all instances have ended, or wait for what
   * only the test can send. Waits that have a time limit time out on the way; see `untilWaiting`.
   *
   * @throws StuckError when there is no end to it, as with a workflow that sleeps for ever
   */
  async runUntilIdle(): Promise<void> {
    await this.#passage.until(async () => undefined);
  }

  /**
   * Lets time pass until the instance waits for something from outside, and no further: then the test can send it.
   *
   * @param name a type of event or a channel that it is to wait for; any, unless given
   * @throws StuckError when it comes to no such wait
   */
  async untilWaiting(instance: Instance, name?: string): Promise<void> {
    const id = idOf(instance);
    const standing = await this.#passage.until(async () => {
      const { waitingFor, completedAt } = await this.#describe(id);
      if (waitingFor.some((wait) => isFor(wait, name))) return "waiting";
      return completedAt && "ended";
    });
    if (standing === "waiting") return;
    throw await this.#stuck(id, `comes to no wait for ${name ?? "anything from outside"}`);
  }

  /**
   * Runs another function in place of an activity's, a compensation's or a workflow's, and keeps note of the calls.
   *
   * @param definition or the name of an activity
   * @param fn its own, unless given
   * @example
   * const charged = app.stub(charge, async (_ctx, orderId) => ({ payment: `PAY-${orderId}` })).failFirst(2);
   */
  stub<Ctx, Args extends readonly unknown[], Result>(
    definition: Definition<Ctx, Args, Result>,
    fn?: (ctx: Ctx, ...args: Args) => NoInfer<Result> | Promise<NoInfer<Result>>,
  ): Stub<Args>;
  stub(activity: string, fn?: (ctx: ActivityContext, ...args: never) => unknown): Stub;
  stub(definition: string | Definition<never, never, unknown>, fn?: (ctx: never, ...args: never) => unknown): Stub {
    return this.#stubs.place(definition, fn);
  }

  /** For stubs: resolves when so much virtual time has passed, of which the app knows that it may pass. */
  async sleep(duration: Duration): Promise<void> {
    await this.#bodies.sleep(await this.#milliseconds(duration, "The time to sleep"));
  }

  /** Has the app die at that point, once, and another one go on with its database. */
  crashAt(point: CrashPoint): void {
    this.#points.arm(point);
  }

  /** Points at which the app was to die, and to which it has not come. */
  get pendingCrashes(): readonly CrashPoint[] {
    return this.#points.armed;
  }

  /**
   * Has the app die now. Resolves when another one has started on its database.
   *
   * @param options of that one: other workflows, as after a deployment
   */
  async crash(options: Pick<TestAppOptions, "workflows"> = {}): Promise<void> {
    this.#options = { ...this.#options, ...options };
    await this.#lives.crash(this.#options);
  }

  /** Shuts the app down, and starts another one on its database; options as for `crash`. */
  async restart(options: Pick<TestAppOptions, "workflows"> = {}): Promise<void> {
    this.#options = { ...this.#options, ...options };
    await this.#lives.restart(this.#options);
  }

  /** As `app.sendEvent`; sent again if the app dies meanwhile. */
  async sendEvent(event: EventInput, options?: { readonly instanceId?: string }): Promise<{ readonly id: string }> {
    const withId = { id: randomUUID(), ...event };
    return this.#lives.ask((app) => app.sendEvent(withId, options));
  }

  /** As `app.publish`. */
  async publish(channel: string, data: unknown, options?: PublishOptions): Promise<SentMessage> {
    const withId = { id: randomUUID(), ...options };
    return this.#lives.ask((app) => app.publish(channel, data, withId));
  }

  /** As `app.sendTo`. */
  async sendTo(instance: Instance, channel: string, data: unknown, options?: PublishOptions): Promise<SentMessage> {
    const withId = { id: randomUUID(), ...options };
    return this.#lives.ask((app) => app.sendTo(idOf(instance), channel, data, withId));
  }

  /** A handle on an instance, such as a child, whose `result` lets time pass. */
  handle<Args extends readonly unknown[], Result>(
    workflow: Workflow<Args, Result>,
    instance: Instance,
  ): WorkflowHandle<Result> {
    return this.#handle(workflow, idOf(instance)) as WorkflowHandle<Result>;
  }

  /** What has happened in the instance, line by line: see `operationsOf`. */
  async operations(instance: Instance): Promise<string[]> {
    return operationsOf(await this.#lives.ask((app) => app.getHistory(idOf(instance))));
  }

  /**
   * @throws AssertionError when the instance's operations are not these, with what differs
   * @example
   * await app.expectHistory(handle, ["reserve:1 completed", "charge:1 attempt 1 failed", "charge:1 completed"]);
   */
  async expectHistory(instance: Instance, operations: readonly string[]): Promise<void> {
    deepStrictEqual(await this.operations(instance), operations);
  }

  /** The door for workflows' `start`. */
  async "~start"(
    workflow: Startable,
    options: StartOptions,
    args: readonly unknown[],
  ): Promise<WorkflowHandle<unknown>> {
    // Its own id, so that it can be started again when the app dies before it has answered.
    const own = { id: randomUUID(), ...options };
    const { id } = await this.#lives.ask((app) => app["~start"](workflow, own, args));
    return this.#handle(workflow, id);
  }

  async #milliseconds(duration: Duration, what: string): Promise<number> {
    const { app } = await this.#lives.alive();
    return app["~testing"].toMilliseconds(duration, what);
  }

  #describe(id: string): Promise<InstanceDescription> {
    return this.#lives.ask((app) => app.getInstance(id));
  }

  #handle(workflow: Startable, id: string): WorkflowHandle<unknown> {
    return {
      id,
      describe: () => this.#describe(id),
      status: async () => (await this.#describe(id)).status,
      cancel: (reason) => this.#lives.ask((app) => app.cancel(id, reason)),
      result: ({ timeout } = {}) => this.#result(workflow, id, timeout),
    };
  }

  async #result(workflow: Startable, id: string, timeout: Duration | undefined): Promise<unknown> {
    const wait =
      timeout === undefined ? Number.POSITIVE_INFINITY : await this.#milliseconds(timeout, "The timeout of result()");
    const parts = { lives: this.#lives, passage: this.#passage };
    const limit = this.now + wait;
    const settled = await untilSettled(parts, workflow, id, limit);
    if (settled) return settled();
    if (timeout === undefined) throw await this.#stuck(id, "does not end");
    await this.#passage.to(limit);
    throw new ResultTimeoutError(id, wait);
  }

  async #stuck(id: string, problem: string): Promise<StuckError> {
    const standing = await this.#lives.ask((app) => standingOf(app, id));
    return new StuckError(`Instance ${id} ${problem} by itself: time alone brings about nothing more. ${standing}`);
  }
}

/** Starts an app for tests; nothing of it outlives `shutdown`. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const app = new TestApp(options);
  await app.started();
  return app;
}

function idOf(instance: Instance): string {
  return typeof instance === "string" ? instance : instance.id;
}

function timeOf(time: Date | number): number {
  const milliseconds = Number(time);
  if (Number.isInteger(milliseconds)) return milliseconds;
  throw new ValidationError(`The time ${String(time)} must be a valid Date, or whole epoch milliseconds.`);
}

function isFor(wait: InstanceDescription["waitingFor"][number], name: string | undefined): boolean {
  if (wait.kind === "event") return name === undefined || wait.types.includes(name);
  return wait.kind === "channel" && (name === undefined || wait.channel === name);
}
