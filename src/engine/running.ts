/** The parts of a started app, put together, and taken apart again. */

import { messageOf } from "../core/errors.ts";
import { uuidv7 } from "../core/uuid.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import type { Publisher } from "../workflow/outbox.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { type Clock, DatabaseClock, systemClock } from "./clock.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Journal } from "./journal.ts";
import { bindLogger } from "./log.ts";
import { clearInterval, setInterval, wallClock } from "./machine-time.ts";
import { sweep } from "./operating/retention.ts";
import type { ResolvedOptions } from "./options.ts";
import { Relayer } from "./outbox/relayer.ts";
import { settlesWithin } from "./patience.ts";
import { Announcer, Presence } from "./presence.ts";
import { ownIdentity } from "./process-identity.ts";
import { randomBytes } from "./random.ts";
import { Results } from "./results.ts";
import type { Load } from "./seams.ts";
import { IDLE_INTERVAL, Watch } from "./watch.ts";
import type { HookRunner } from "./watching/hooks.ts";
import { Worker } from "./worker.ts";

/** Milliseconds that the database is given, beside running activities, when the app shuts down. */
const CLOSED_WITHIN = 5_000;

/** Milliseconds between two looks at the database's clock. */
const CLOCK_INTERVAL = 30_000;

/** What a started app is told of. */
export interface Setup {
  /** The app itself, by which modules know it. */
  readonly app: object;
  readonly options: ResolvedOptions;
  readonly workerId: string;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly hooks: HookRunner | undefined;
  /** Where events of the outbox go; `undefined` when this app sends none. */
  readonly publisher: Publisher | undefined;
}

export class Running {
  readonly store: Store;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly results: Results;
  readonly watch: Watch;
  readonly worker: Worker | undefined;
  readonly housekeeping: Housekeeping;
  readonly #relayer: Relayer | undefined;
  readonly #setup: Setup;
  readonly #log: Logger;
  /** Unique to this start of this app. */
  readonly #incarnation: string;
  readonly #databaseClock: DatabaseClock | undefined;
  readonly #announcer: Announcer;
  #presence: Presence | undefined;
  /** Looks at the database's clock now and then; absent where it is this machine's. */
  #clockTimer: NodeJS.Timeout | undefined;

  constructor(store: Store, setup: Setup) {
    const { options, workerId } = setup;
    const { seams } = options;
    this.store = store;
    this.#setup = setup;
    this.#log = bindLogger(options.logger, { workerId });
    this.#incarnation = uuidv7(wallClock(), randomBytes(10));
    this.#databaseClock = store.isRemote ? new DatabaseClock(() => store.time()) : undefined;
    this.clock = seams.clock ?? this.#databaseClock?.clock ?? systemClock;
    this.journal = new Journal(store, this.#log, seams.commit, setup.hooks);
    this.results = new Results(store);
    this.#announcer = new Announcer(store, this.#incarnation, options.listenNotify);
    this.watch = new Watch({
      store,
      isNeeded: options.worker,
      isSurveyed: options.staleWorkerCheckInterval <= IDLE_INTERVAL,
      onChange: async () => {
        this.worker?.poke();
        this.#relayer?.poke();
        await this.results.look();
      },
      onError: (error) => this.#warn(error),
    });
    this.housekeeping = new Housekeeping({
      store,
      journal: this.journal,
      clock: this.clock,
      log: this.#log,
      messageRetention: options.messageRetention,
      outboxRetention: options.outbox.retention,
      takenRetention: options.retention.takenMessages,
      sweep: (signal) => sweep(store.retention, options.retention, this.clock.now(), signal),
      onCalled: () => this.tellOfWork(),
    });
    this.worker = options.worker ? this.#createWorker() : undefined;
    this.#relayer = this.worker && setup.publisher && this.#createRelayer(this.worker, setup.publisher);
    this.journal.onHealthy = () => this.worker?.slots.poke();
    this.journal.onOutgoing = () => this.tellOfEvents();
  }

  /** @throws DuplicateNameError when a living worker has the same id */
  async start(): Promise<void> {
    const { worker, watch } = this;
    await this.#databaseClock?.sync();
    try {
      // First: by its connection it can tell whether a worker of the same id is dead.
      this.#presence = this.#createPresence();
      await this.#presence?.start();
      await worker?.start();
    } catch (error) {
      await worker?.stop(0);
      await this.#presence?.stop();
      throw error;
    }
    watch.start();
    if (worker) {
      this.housekeeping.start();
      this.#setup.hooks?.tell("onWorkerStart", () => ({ workerId: this.#setup.workerId }));
    }
    this.#relayer?.poke();
    const sync = (clock: DatabaseClock): void => void clock.sync().catch((error: unknown) => this.#warn(error));
    this.#clockTimer = this.#databaseClock && setInterval(sync, CLOCK_INTERVAL, this.#databaseClock).unref();
  }

  /**
   * Lets running activities end, hands instances back, and closes the database, or cuts its connections when it does not
   * answer.
   *
   * @param patience milliseconds that running activities are given
   * @param doors resolves when nothing comes in from outside any more
   */
  async close(patience: number, doors: Promise<void>): Promise<void> {
    if (await settlesWithin(patience + CLOSED_WITHIN, this.#stop(patience, doors))) return;
    // Others take over when the lease ends.
    this.#log.warn("The database did not answer while the app was shut down. Its connections are cut.");
    this.store.destroy();
  }

  async #stop(patience: number, doors: Promise<void>): Promise<void> {
    this.watch.stop();
    clearInterval(this.#clockTimer);
    await this.housekeeping.stop();
    await Promise.all([doors, this.worker?.stop(patience, this.#relayer?.stop(patience))]);
    await this.journal.close(patience);
    await this.#announcer.drain();
    await this.#presence?.stop();
    await this.results.close();
    await this.store.close();
    const { hooks, workerId } = this.#setup;
    if (this.worker) hooks?.tell("onWorkerStop", () => ({ workerId }));
  }

  /** As if the process had died: nothing is written from here on, and the database is left open. */
  kill(): void {
    this.journal.abandon();
    this.watch.stop();
    clearInterval(this.#clockTimer);
    void this.housekeeping.stop();
    this.worker?.kill();
    this.#relayer?.kill();
  }

  get load(): Load {
    const parts = [this.journal, this.results, this.housekeeping, this.#relayer];
    const { attempts = 0, isMoving = false } = this.worker?.load ?? {};
    return { attempts, isMoving: isMoving || parts.some((part) => part?.isBusy) };
  }

  /** There is something to do, for this process or another. */
  tellOfWork(): void {
    this.worker?.poke(true);
    this.#announcer.announce("work");
  }

  /** There are events to be sent, by this process or another. */
  tellOfEvents(): void {
    if (this.#relayer) this.#relayer.expect();
    else this.#announcer.announce("outbox");
  }

  /** Makes this process known to others, and hears of them. */
  #createPresence(): Presence | undefined {
    const { store, worker, watch, results } = this;
    const { listenNotify } = this.#setup.options;
    if (!store.isRemote || !(worker || listenNotify)) return undefined;
    return new Presence({
      store,
      log: this.#log,
      incarnation: this.#incarnation,
      listens: listenNotify,
      onLock: worker && ((name) => worker.setLock(name)),
      onNews: (news) => {
        if (news === "work") worker?.poke();
        else if (news === "outbox") this.#relayer?.poke();
        else results.lookSoon();
      },
      onBack: () => {
        worker?.slots.poke();
        this.#relayer?.poke();
      },
      onListening: (isListening) => {
        watch.isTold = isListening;
      },
    });
  }

  #createWorker(): Worker {
    const { store, journal, results, clock, watch } = this;
    const { app, options, workerId, workflows, hooks } = this.#setup;
    const { logger: log, maxValueBytes, seams } = options;
    const identity = seams.identity ?? ownIdentity();
    return new Worker({
      ...options,
      store,
      journal,
      results,
      log: this.#log,
      identity,
      randomBytes,
      clock,
      steadyFor: () => this.#presence?.steadyFor ?? 0,
      isCutOff: () => this.#presence?.isCutOff ?? false,
      record: { ...identity, id: workerId, incarnation: this.#incarnation },
      workflows,
      environment: { app, store, log, maxValueBytes, clock, randomBytes, seams, hooks },
      hooks,
      announce: (news) => this.#announcer.announce(news),
      onWork: () => watch.quicken(),
      onHeld: () => this.#relayer?.poke(),
      onLost: (reason) => this.#relayer?.drop(reason),
      onEventDue: (time) => this.#relayer?.wakeAt(time),
      onSent: () => this.tellOfWork(),
      rouse: (channel) => void this.housekeeping.rouse(channel),
    });
  }

  #createRelayer(worker: Worker, publisher: Publisher): Relayer {
    const { store, clock } = this;
    const { options, workerId } = this.#setup;
    return new Relayer({
      outbox: store.outbox,
      clock,
      log: this.#log,
      workerId,
      randomBytes,
      publisher,
      hooks: this.#setup.hooks,
      settings: options.outbox,
      mayWork: () => worker.isHeld,
    });
  }

  #warn(error: unknown): void {
    this.#log.warn("The database did not answer a look at it.", { error: messageOf(error) });
  }
}
