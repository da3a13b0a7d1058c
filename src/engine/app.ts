/** The app: the only place where the parts are put together. */
import type { Server } from "node:http";
import { AppStateError } from "../core/errors.ts";
import { uuidv4 } from "../core/uuid.ts";
import { HttpDoor } from "../http/door.ts";
import type { ListenOptions } from "../http/server.ts";
import { listMigrations, type MigrationInfo, migrate } from "../store/migrate.ts";
import { migrateDown } from "../store/migrate-down.ts";
import type { PublishOptions, SentMessage } from "../workflow/channels.ts";
import type { EventInput } from "../workflow/events.ts";
import type { InstanceDescription, WorkflowHandle } from "../workflow/handle.ts";
import type { Outbox } from "../workflow/outbox.ts";
import type { Startable, StartOptions, WorkflowStarter } from "../workflow/starting.ts";
import type { AnyWorkflow, Workflow } from "../workflow/workflow.ts";
import { cancel, retryCompensations } from "./cancel.ts";
import { prepareEvent, type SendEventOptions } from "./events.ts";
import { handleOf } from "./handle.ts";
import { type HistoryEntry, readHistory } from "./inspection/history-entries.ts";
import { exportHistory, type HistoryExport } from "./inspection/history-export.ts";
import { describeInstance } from "./inspection/inspect.ts";
import { type InstancePage, listInstances } from "./inspection/listing.ts";
import type { InstanceFilter } from "./inspection/listing-filter.ts";
import { bindLogger } from "./log.ts";
import { openRunning } from "./opening.ts";
import type { Finding } from "./operating/finding.ts";
import { type PruneOptions, type PruneResult, prune } from "./operating/retention.ts";
import { retry } from "./operating/retry.ts";
import { listWorkers, type WorkerInfo } from "./operating/workers.ts";
import { type ResolvedOptions, type RomancyOptions, resolveOptions } from "./options.ts";
import { outboxOf } from "./outbox/outbox.ts";
import { publish, type SendingEnvironment, sendTo } from "./publish.ts";
import { randomBytes } from "./random.ts";
import { registerAll } from "./register.ts";
import { type ReplayResult, replay } from "./replay.ts";
import type { Running } from "./running.ts";
import { diagnoseDatabase, withDatabase } from "./schema.ts";
import { guardRejections, unguardRejections } from "./scope.ts";
import { type StartEnvironment, start } from "./start.ts";
import { type TestingDoor, testingDoor } from "./testing-door.ts";
import { HookRunner } from "./watching/hooks.ts";
import { Metrics } from "./watching/metrics.ts";

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
  /**
   * Answers CloudEvents over HTTP and questions for health, in any server that speaks the Web's standard; needs the
   * package `cloudevents`. Never rejects, and needs no `this`.
   *
   * @example
   * Bun.serve({ fetch: app.fetch });
   */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Events that workflows and activities have sent with `ctx.sendEvent`. */
  readonly outbox: Outbox;
  readonly #options: ResolvedOptions;
  readonly #workflows = new Map<string, AnyWorkflow>();
  readonly #metrics: Metrics | undefined;
  /** Absent where nobody wants to be told. */
  readonly #hooks: HookRunner | undefined;
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;
  readonly #http: HttpDoor;
  readonly #onSignal = (): void => void this.shutdown();

  /** @throws ValidationError when an option is not what it must be */
  constructor(options: RomancyOptions) {
    this.#options = resolveOptions(options);
    this.workerId = this.#options.workerId ?? uuidv4(randomBytes(16));
    const { logger, hooks, metrics } = this.#options;
    this.#metrics = metrics ? new Metrics() : undefined;
    const isWatched = this.#metrics !== undefined || hooks.length > 0;
    const log = bindLogger(logger, { workerId: this.workerId });
    this.#hooks = isWatched ? new HookRunner(hooks, this.#metrics, log) : undefined;
    this.register(...this.#options.workflows);
    this.#http = new HttpDoor(this.#options, {
      prepareEvent: (event) => prepareEvent(event, {}, this.#environment()),
      publish: (channel, data, sending) => this.publish(channel, data, sending),
      sendTo: (id, channel, data, sending) => this.sendTo(id, channel, data, sending),
      cancel: (id, reason) => this.cancel(id, reason),
      metrics: () => this.#metrics?.text(),
      within: (context, run) => this.#hooks?.within(context, run) ?? run(),
      ping: () => this.#need().store.time(),
    });
    this.fetch = this.#http.fetch;
    this.outbox = outboxOf(() => this.#need());
  }

  /**
   * Adds workflows, before or after `start`.
   *
   * @throws DuplicateNameError when another workflow has the name
   * @throws ValidationError when something is no workflow; nothing is added
   */
  register(...workflows: readonly AnyWorkflow[]): void {
    registerAll(this.#workflows, workflows);
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
    await withDatabase(this.#options, true, migrate);
  }

  /** Which migrations the database has; nothing is changed. Whether started or not. */
  async migrationStatus(): Promise<readonly MigrationInfo[]> {
    return withDatabase(this.#options, false, listMigrations);
  }

  /**
   * Takes the last migration back, to return to the version of romancy before it. Whether started or not.
   *
   * @throws MigrationRefusedError when there is none, a worker runs, or something that has not ended could be lost
   * @throws SchemaVersionError when the database is newer than this code
   */
  async migrateDown(): Promise<MigrationInfo> {
    const { version, name } = await withDatabase(this.#options, false, migrateDown);
    return { version, name, status: "pending" };
  }

  /**
   * Looks at the database as an operator would: its version, schema and clock, what works through its connections, and
   * what does not get on. What is wrong is told, with what to do, and not thrown. Whether started or not.
   *
   * @example
   * for (const { status, message, advice } of await app.diagnose()) console.log(status, message, advice);
   */
  async diagnose(): Promise<readonly Finding[]> {
    return diagnoseDatabase(this.#options);
  }

  /** The workers of the database, oldest first. */
  async listWorkers(): Promise<readonly WorkerInfo[]> {
    return listWorkers(this.#need().store.operations);
  }

  /**
   * A handle on an instance that exists, or is to exist; nothing is looked up.
   *
   * @throws ValidationError when the id is no text
   */
  handle<Args extends readonly unknown[], Result>(
    workflow: Workflow<Args, Result>,
    id: string,
  ): WorkflowHandle<Result> {
    return handleOf(workflow.name, id, this, () => this.#need()) as WorkflowHandle<Result>;
  }

  /** @throws InstanceNotFoundError, ValidationError */
  async getInstance(id: string): Promise<InstanceDescription> {
    return describeInstance(this.#need().store.views, id);
  }

  /**
   * Instances that a filter is true of, newest first, page by page. Pages are stable: what is created, changes or ends
   * meanwhile moves no other instance from one page to another.
   *
   * @throws ValidationError when the filter is not what it must be
   * @example
   * const { instances, nextPageToken } = await app.listInstances({ workflow: "order", status: ["failed", "blocked"] });
   */
  async listInstances(filter: InstanceFilter = {}): Promise<InstancePage> {
    return listInstances(this.#need().store.views, filter);
  }

  /**
   * Removes instances that have ended so long ago, with their histories, and with all that belongs to them: children and
   * what they went on as. A tree of instances goes as a whole, when all of it has ended so long ago; never one that lives.
   * For what is to happen by itself there is the option `retention`.
   *
   * @throws ValidationError
   * @example
   * const { instances } = await app.prune({ olderThan: "30 days", workflow: "order", dryRun: true });
   */
  async prune(options: PruneOptions): Promise<PruneResult> {
    const { store, clock } = this.#need();
    return prune(store.retention, options, clock.now());
  }

  /** @throws InstanceNotFoundError, ValidationError */
  async getHistory(id: string): Promise<HistoryEntry[]> {
    return readHistory(this.#need().store.views, id);
  }

  /**
   * An instance and its history as plain JSON, to be kept in a file and replayed by later code: see `replayCheck` of
   * `romancy/testing`. It holds the instance's data as they are.
   *
   * @throws InstanceNotFoundError
   * @example
   * await writeFile("order-1.json", JSON.stringify(await app.exportHistory("order-1")));
   */
  async exportHistory(id: string): Promise<HistoryExport> {
    return exportHistory(this.#need().store.views, id);
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
  async sendEvent(event: EventInput, options: SendEventOptions = {}): Promise<{ readonly id: string }> {
    const { id, send } = await prepareEvent(event, options, this.#environment());
    await send();
    return { id };
  }

  /**
   * Cancels an instance, or the one that it went on as: see `handle.cancel`.
   *
   * @throws InstanceNotFoundError, InstanceNotCancellableError
   */
  async cancel(id: string, reason?: string): Promise<void> {
    await cancel(id, reason, this.#environment());
  }

  /**
   * Has an instance go on that is blocked or has failed, or the one that it went on as. One that is blocked is tried
   * once more at once. One that has failed, and has undone nothing, runs again from its history with today's code; the
   * failure of an activity or a child that its code did not catch, or that is the `cause` of what it threw, is taken
   * back, and that is tried anew, with all its attempts. Resolves when it is durable that it goes on.
   *
   * @throws InstanceNotFoundError
   * @throws InstanceNotRetryableError when it is neither, was undone, or its parent was told of its failure
   */
  async retry(id: string): Promise<void> {
    await retry(id, this.#environment());
  }

  /**
   * Runs those compensations of an ended instance once more that had failed for good. Resolves when it is durable that
   * they will be run; the instance is `compensating` until then, and ends as it had before.
   *
   * @throws InstanceNotFoundError
   * @throws NothingToCompensateError when none had failed, or they are being run already
   */
  async retryCompensations(id: string): Promise<void> {
    await retryCompensations(id, this.#environment());
  }

  /**
   * Has `fetch`, and so `listen`, answer the requests for a path with a handler of your own, whatever their method. The
   * path is looked for at the end of the request's path, below any prefix. The options of `http` do not hold there: the
   * handler lets in whom it wants.
   *
   * @param path such as `"/mcp"`
   * @throws ValidationError when it is no path, something is mounted there already, or it is one of Romancy's own routes
   * @example
   * app.mount("/version", () => Response.json({ version: "1.0.0" }));
   */
  mount(path: string, handler: (request: Request) => Response | Promise<Response>): void {
    this.#http.mount(path, handler);
  }

  /**
   * Serves `fetch` on a port, 0 for a free one, until `shutdown`. Resolves when it listens.
   *
   * @throws MissingPackageError without the package `cloudevents`, ValidationError
   */
  listen(port: number, options?: ListenOptions): Promise<Server> {
    return this.#http.listen(port, options);
  }

  /**
   * Sends a message to all subscribers of a broadcast channel, or to one of those of a competing channel. Resolves when
   * it is durable.
   *
   * @throws ValidationError, SerializationError; nothing is stored
   */
  async publish(channel: string, data: unknown, options: PublishOptions = {}): Promise<SentMessage> {
    return publish(channel, data, options, this.#environment());
  }

  /**
   * Sends a message to one instance, or to the one that it went on as. It is kept until the instance receives it from
   * the channel. Resolves when it is durable.
   *
   * @throws InstanceNotFoundError, InstanceFinishedError, ValidationError, SerializationError; nothing is stored
   */
  async sendTo(instanceId: string, channel: string, data: unknown, options: PublishOptions = {}): Promise<SentMessage> {
    return sendTo(instanceId, channel, data, options, this.#environment());
  }

  /** The engine's door; not for users. */
  async "~start"(
    workflow: Startable,
    options: StartOptions,
    args: readonly unknown[],
  ): Promise<WorkflowHandle<unknown>> {
    const id = await start(workflow, options, args, this.#environment());
    return handleOf(workflow.name, id, this, () => this.#need());
  }

  /** The door of `romancy/testing`; not for users. */
  get "~testing"(): TestingDoor {
    return testingDoor(this.#need(), () => this.#letGo());
  }

  /** The same. Needs no database. */
  "~replay"(history: unknown): Promise<ReplayResult> {
    return replay(history, { app: this, workflows: this.#workflows, maxValueBytes: this.#options.maxValueBytes });
  }

  #environment(): StartEnvironment & SendingEnvironment {
    const running = this.#need();
    const { journal, worker, clock, housekeeping } = running;
    const { maxValueBytes } = this.#options;
    return {
      journal,
      worker,
      clock,
      randomBytes,
      maxValueBytes,
      workflows: this.#workflows,
      hooks: this.#hooks,
      onWork: () => running.tellOfWork(),
      rouse: (channel) => void housekeeping.rouse(channel),
    };
  }

  async #open(): Promise<Running> {
    const { workerId } = this;
    const setup = { app: this, options: this.#options, workerId, workflows: this.#workflows, hooks: this.#hooks };
    const running = await openRunning(setup);
    guardRejections();
    for (const signal of this.#options.shutdownSignals) process.once(signal, this.#onSignal);
    return running;
  }

  async #close(): Promise<void> {
    const running = this.#running;
    const { shutdownTimeout } = this.#options;
    if (!running) return this.#http.close(shutdownTimeout);
    this.#running = undefined;
    this.#starting = undefined;
    await running.close(shutdownTimeout, this.#http.close(shutdownTimeout));
    this.#letGo();
  }

  /** Leaves the process as it was found. */
  #letGo(): void {
    unguardRejections();
    for (const signal of this.#options.shutdownSignals) process.off(signal, this.#onSignal);
  }

  #need(): Running {
    if (this.#running) return this.#running;
    throw new AppStateError("The app is not started, or was shut down. Call `await app.start()` first.");
  }
}
