/** The app: the only place where the parts are put together. */

import { decode } from "../core/codec.ts";
import { toMilliseconds } from "../core/duration.ts";
import { AppStateError, DuplicateNameError, messageOf, WorkflowFailedError } from "../core/errors.ts";
import { uuidv4, uuidv7 } from "../core/uuid.ts";
import { checkSchema, migrate } from "../store/migrate.ts";
import { SqlStore } from "../store/sql-store.ts";
import type { Ending, Store } from "../store/store.ts";
import { checkName } from "../workflow/activity.ts";
import type { EventInput } from "../workflow/events.ts";
import type { InstanceDescription, WorkflowHandle } from "../workflow/handle.ts";
import type { AnyWorkflow, StartOptions, Workflow, WorkflowStarter } from "../workflow/workflow.ts";
import { type Clock, DatabaseClock, systemClock } from "./clock.ts";
import { sendEvent } from "./events.ts";
import {
  describeInstance,
  type HistoryEntry,
  type InstanceFilter,
  type InstancePage,
  listInstances,
  readHistory,
} from "./inspect.ts";
import { Journal } from "./journal.ts";
import { bindLogger } from "./log.ts";
import { openDatabase } from "./open-database.ts";
import { type ResolvedOptions, type RomancyOptions, resolveOptions } from "./options.ts";
import { Announcer, Presence } from "./presence.ts";
import { ownIdentity } from "./process-identity.ts";
import { randomBytes } from "./random.ts";
import { Results } from "./results.ts";
import { guardRejections, unguardRejections } from "./scope.ts";
import { start } from "./start.ts";
import { Watch } from "./watch.ts";
import { Worker } from "./worker.ts";

/** What exists while the app is started. */
interface Running {
  readonly store: Store;
  readonly journal: Journal;
  readonly results: Results;
  readonly watch: Watch;
  readonly clock: Clock;
  readonly announcer: Announcer;
  readonly presence: Presence | undefined;
  readonly worker: Worker | undefined;
  /** Looks at the database's clock now and then; absent where it is this machine's. */
  readonly clockTimer: NodeJS.Timeout | undefined;
}

/** Milliseconds that the database is given, beside running activities, when the app shuts down. */
const CLOSED_WITHIN = 5_000;

/** Milliseconds between two looks at the database's clock. */
const CLOCK_INTERVAL = 30_000;

/**
 * Durable workflows in this process, on the user's own database.
 *
 * @example
 * const app = new Romancy({ database: "workflow.db", workflows: [order] });
 * await app.start();
 * const handle = await order.start(app, "ORD-1", 99.99);
 * console.log(await handle.result());
 * await app.shutdown();
 */
export class Romancy implements WorkflowStarter, AsyncDisposable {
  /** Unique among the living workers of the database. */
  readonly workerId: string;
  readonly #options: ResolvedOptions;
  readonly #workflows = new Map<string, AnyWorkflow>();
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;
  readonly #onSignal = (): void => void this.shutdown();

  /** @throws ValidationError when an option is not what it must be */
  constructor(options: RomancyOptions) {
    this.#options = resolveOptions(options);
    this.workerId = this.#options.workerId ?? uuidv4(randomBytes(16));
    this.register(...(options.workflows ?? []));
  }

  /**
   * Adds workflows, before or after `start`.
   *
   * @throws DuplicateNameError when another workflow has the name
   */
  register(...workflows: readonly AnyWorkflow[]): void {
    for (const workflow of workflows) {
      const known = this.#workflows.get(workflow.name);
      if (known && known !== workflow) {
        throw new DuplicateNameError(`Two different workflows are called ${workflow.name}. Give each its own name.`);
      }
      this.#workflows.set(workflow.name, workflow);
    }
    this.#running?.worker?.poke();
  }

  /**
   * Opens the database, brings its schema up to date and begins to work. A second call does nothing.
   *
   * @throws UnsupportedDatabaseError, SchemaVersionError, DuplicateNameError
   */
  async start(): Promise<void> {
    await this.#stopping;
    this.#starting ??= this.#open();
    try {
      this.#running = await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  /**
   * Lets running activities end (up to `shutdownTimeout`), hands all instances back so that other workers go on with
   * them at once, and closes the database. A second call does nothing.
   */
  async shutdown(): Promise<void> {
    await this.#starting?.catch(() => {});
    this.#stopping ??= this.#close();
    await this.#stopping;
    this.#stopping = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** Brings the schema up to date; for apps with `autoMigrate: false`, whether started or not. */
  async migrate(): Promise<void> {
    const database = await openDatabase(this.#options);
    try {
      await migrate(database);
    } finally {
      await database.close();
    }
  }

  /** A handle on an instance that exists, or is to exist; nothing is looked up. */
  handle<Args extends readonly unknown[], Result>(
    workflow: Workflow<Args, Result>,
    id: string,
  ): WorkflowHandle<Result> {
    return this.#handle(workflow.name, id) as WorkflowHandle<Result>;
  }

  /** @throws InstanceNotFoundError */
  async getInstance(id: string): Promise<InstanceDescription> {
    return describeInstance(this.#need().store, id);
  }

  /** Instances, newest first, page by page. */
  async listInstances(filter: InstanceFilter = {}): Promise<InstancePage> {
    return listInstances(this.#need().store, filter);
  }

  /** @throws InstanceNotFoundError */
  async getHistory(id: string): Promise<HistoryEntry[]> {
    return readHistory(this.#need().store, id);
  }

  /**
   * Sends an event to all instances that hear of it, and starts an instance of each handler. Resolves when it is durable:
   * from then on it is not lost, whatever happens. One that is sent again, by `source` and `id`, is delivered once.
   *
   * @param options.instanceId for one instance alone, whether it waits for it or not; also the extension
   *   `romancyinstanceid`
   * @throws ValidationError, SerializationError; nothing is stored
   * @throws InstanceNotFoundError, InstanceFinishedError when it is for one instance
   */
  async sendEvent(event: EventInput, options: { readonly instanceId?: string } = {}): Promise<{ readonly id: string }> {
    const { journal, worker, clock, announcer } = this.#need();
    const { maxValueBytes } = this.#options;
    const target = options.instanceId ?? event?.["romancyinstanceid"];
    if (target !== undefined) checkName("instance", target as string);
    return sendEvent(event, target as string | undefined, {
      journal,
      clock,
      randomBytes,
      maxValueBytes,
      workflows: this.#workflows,
      start: (workflow, id, data) => this["~start"](workflow, { id }, [data]),
      onDelivered: () => {
        worker?.poke();
        announcer.announce("work");
      },
    });
  }

  /** The engine's door; not for users. */
  async "~start"(
    workflow: AnyWorkflow,
    options: StartOptions,
    args: readonly unknown[],
  ): Promise<WorkflowHandle<unknown>> {
    const { journal, worker, clock, announcer } = this.#need();
    const id = await start(workflow, options, args, {
      journal,
      worker,
      clock,
      onUnowned: () => {
        worker?.poke();
        announcer.announce("work");
      },
      randomBytes,
      maxValueBytes: this.#options.maxValueBytes,
      workflows: this.#workflows,
    });
    return this.#handle(workflow.name, id);
  }

  #handle(workflow: string, id: string): WorkflowHandle<unknown> {
    const describe = (): Promise<InstanceDescription> => this.getInstance(id);
    return {
      id,
      describe,
      status: async () => (await describe()).status,
      result: async (options = {}) => {
        const { timeout } = options;
        const limit = timeout === undefined ? undefined : toMilliseconds(timeout, "The timeout of result()");
        const { results, watch, worker } = this.#need();
        const isRunningHere = worker?.isRunning(id) ?? false;
        return resultOf(await watch.during(() => results.wait(id, limit, isRunningHere)), workflow);
      },
    };
  }

  async #open(): Promise<Running> {
    const options = this.#options;
    const database = await openDatabase(options);
    try {
      await (options.autoMigrate ? migrate(database) : checkSchema(database));
      return await this.#run(new SqlStore(database));
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  async #run(store: Store): Promise<Running> {
    const log = bindLogger(this.#options.logger, { workerId: this.workerId });
    const incarnation = uuidv7(Date.now(), randomBytes(10));
    const databaseClock = store.isRemote ? new DatabaseClock(() => store.time()) : undefined;
    await databaseClock?.sync();
    const clock = databaseClock?.clock ?? systemClock;
    const journal = new Journal(store, log);
    const results = new Results(store);
    const announcer = new Announcer(store, incarnation, this.#options.listenNotify);
    const onError = (error: unknown): void =>
      log.warn("The database did not answer a look at it.", { error: messageOf(error) });
    const watch = new Watch({
      store,
      isNeeded: this.#options.worker,
      onChange: async () => {
        worker?.poke();
        await results.look();
      },
      onError,
    });
    const parts = { store, journal, results, watch, clock, announcer };
    let presence: Presence | undefined;
    const worker = this.#options.worker ? this.#createWorker(parts, incarnation, () => presence) : undefined;
    journal.onHealthy = () => worker?.slots.poke();
    try {
      // First: by its connection it can tell whether a worker of the same id is dead.
      presence = this.#createPresence(parts, incarnation, worker);
      await presence?.start();
      await worker?.start();
    } catch (error) {
      await worker?.stop(0);
      await presence?.stop();
      throw error;
    }
    watch.start();
    const clockTimer = databaseClock && setInterval(() => void databaseClock.sync().catch(onError), CLOCK_INTERVAL);
    clockTimer?.unref();
    guardRejections();
    for (const signal of this.#options.shutdownSignals) process.once(signal, this.#onSignal);
    return { ...parts, presence, worker, clockTimer };
  }

  /** Makes this process known to others, and hears of them. */
  #createPresence(
    { store, watch, results }: Pick<Running, "store" | "watch" | "results">,
    incarnation: string,
    worker: Worker | undefined,
  ): Presence | undefined {
    const { listenNotify } = this.#options;
    if (!store.isRemote || !(worker || listenNotify)) return undefined;
    return new Presence({
      store,
      log: bindLogger(this.#options.logger, { workerId: this.workerId }),
      incarnation,
      listens: listenNotify,
      onLock: worker && ((name) => worker.setLock(name)),
      onNews: (news) => {
        if (news === "work") worker?.poke();
        else results.lookSoon();
      },
      onBack: () => worker?.slots.poke(),
      onListening: (isListening) => {
        watch.isTold = isListening;
      },
    });
  }

  #createWorker(
    { store, journal, results, clock, announcer, watch }: Omit<Running, "worker" | "presence" | "clockTimer">,
    incarnation: string,
    presence: () => Presence | undefined,
  ): Worker {
    const options = this.#options;
    const identity = ownIdentity();
    const log = bindLogger(options.logger, { workerId: this.workerId });
    return new Worker({
      ...options,
      store,
      journal,
      results,
      log,
      identity,
      randomBytes,
      clock,
      steadyFor: () => presence()?.steadyFor ?? 0,
      isCutOff: () => presence()?.isCutOff ?? false,
      record: { ...identity, id: this.workerId, incarnation },
      workflows: this.#workflows,
      environment: { store, log: options.logger, maxValueBytes: options.maxValueBytes },
      announce: (news) => announcer.announce(news),
      onWork: () => watch.quicken(),
    });
  }

  async #close(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    this.#starting = undefined;
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(resolve, this.#options.shutdownTimeout + CLOSED_WITHIN, "late");
    const closing = this.#closeParts(running);
    closing.catch(() => {});
    if ((await Promise.race([closing, late])) === "late") {
      // A database that does not answer: others take over when the lease ends.
      this.#options.logger.warn("The database did not answer while the app was shut down. Its connections are cut.");
      running.store.destroy();
    }
    clearTimeout(timer);
    unguardRejections();
    for (const signal of this.#options.shutdownSignals) process.off(signal, this.#onSignal);
  }

  async #closeParts({
    watch,
    clockTimer,
    worker,
    journal,
    announcer,
    presence,
    results,
    store,
  }: Running): Promise<void> {
    const { shutdownTimeout } = this.#options;
    watch.stop();
    clearInterval(clockTimer);
    await worker?.stop(shutdownTimeout);
    await journal.close(shutdownTimeout);
    await announcer.drain();
    await presence?.stop();
    await results.close();
    await store.close();
  }

  #need(): Running {
    if (this.#running) return this.#running;
    throw new AppStateError(
      "The app is not started. Call `await app.start()` first, and do not use it after `shutdown()`.",
    );
  }
}

function resultOf(ending: Ending, workflow: string): unknown {
  if (ending.status === "completed") return ending.output === null ? undefined : decode(ending.output);
  const cause = ending.error === null ? undefined : decode(ending.error);
  throw new WorkflowFailedError(workflow, ending.id, cause);
}
