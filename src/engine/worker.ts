/** One running worker: composes the loops and keeps the runs. */

import { decode } from "../core/codec.ts";
import type { InstancePatch } from "../core/commit.ts";
import { messageOf } from "../core/errors.ts";
import type { HistoryEvent } from "../core/history.ts";
import type { RetryPolicy } from "../core/retry.ts";
import type { Claim, InboxMessage } from "../store/store.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { AttemptEnvironment } from "./activity.ts";
import { Calls } from "./calls.ts";
import { Claimer, SUSPECT_FROM } from "./claimer.ts";
import type { Clock } from "./clock.ts";
import { endOf } from "./ending.ts";
import type { Journal } from "./journal.ts";
import { Lease } from "./lease.ts";
import { Loading } from "./loading.ts";
import { Lookup } from "./lookup.ts";
import { performance, setImmediate } from "./machine-time.ts";
import { settlesWithin } from "./patience.ts";
import { Run } from "./run.ts";
import { FIRST_EPOCH, type RunHost } from "./run-host.ts";
import type { Load } from "./seams.ts";
import { Slots } from "./slots.ts";
import { TurnQueue } from "./turn-queue.ts";
import { giveUpUnreadable } from "./unreadable.ts";
import type { HookRunner } from "./watching/hooks.ts";
import { tellQuarantine } from "./watching/instance-facts.ts";
import type { WorkerOptions } from "./worker-options.ts";

/** Milliseconds between two calls for help. */
const CALL_EVERY = 1_000;

export class Worker implements RunHost<Run> {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly environment: AttemptEnvironment;
  readonly hooks: HookRunner | undefined;
  readonly defaultRetryPolicy: RetryPolicy | false | undefined;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly slots: Slots;
  readonly turns: TurnQueue = new TurnQueue();
  readonly #options: WorkerOptions;
  readonly #lease: Lease;
  readonly #claimer: Claimer;
  readonly #calls: Calls;
  readonly #messages: Lookup;
  readonly #loading: Loading;
  /** In memory and owned. */
  readonly #runs = new Map<string, Run>();
  /** In memory, waiting, nobody's; the one that waits longest comes first and is forgotten first. */
  readonly #parked = new Map<string, Run>();
  /** Instances that are being started and have a place. */
  readonly #promised = new Set<string>();
  /** Those of its instances that may be what killed their last owners. */
  readonly #suspects = new Set<string>();
  #calledAt = 0;
  #stopping = false;

  constructor(options: WorkerOptions) {
    const { store, clock, log, record } = options;
    this.#options = options;
    this.clock = clock;
    this.journal = options.journal;
    this.environment = options.environment;
    this.hooks = options.hooks;
    this.defaultRetryPolicy = options.defaultRetryPolicy;
    this.randomBytes = options.randomBytes;
    this.slots = new Slots(
      options.maxConcurrentActivities,
      () => !this.#stopping && !options.isCutOff() && this.#lease.isHeld && this.journal.isHealthy,
    );
    this.#lease = new Lease({
      store,
      log,
      worker: record,
      identity: options.identity,
      now: () => clock.now(),
      duration: options.leaseDuration,
      renewEvery: options.leaseRenewInterval,
      watchEvery: options.staleWorkerCheckInterval,
      maxRecoveries: options.maxRecoveries,
      workflows: () => this.#known,
      steadyFor: options.steadyFor,
      onRenewed: () => this.#claimer.audit(),
      onHeld: () => {
        this.slots.poke();
        this.poke();
        options.onHeld();
      },
      onLost: (reason) => {
        this.#dropAll(reason);
        options.onLost(reason);
      },
      onFreed: () => {
        this.poke();
        options.announce("work");
      },
      onBlocked: (blocked, error) => {
        if (this.hooks) tellQuarantine(this.hooks, blocked, error);
      },
      onSurveyed: ({ nextDue, nextEvent }) => {
        // The database's clock may have been set meanwhile.
        if (nextDue !== undefined && nextDue <= clock.now()) this.#claimer.poke();
        else if (nextDue !== undefined) this.#claimer.wakeAt(nextDue);
        this.#calls.look();
        if (nextEvent !== undefined) options.onEventDue(nextEvent);
      },
    });
    this.#loading = new Loading({ store, log, isStopped: () => this.#stopping });
    this.#messages = new Lookup((channels) => store.channelsWithMessages(channels));
    this.#calls = new Calls({ store, log, workerId: record.id, runs: this.#runs });
    this.#claimer = new Claimer({
      store,
      clock,
      log,
      workerId: record.id,
      workflows: () => this.#known,
      room: () => (this.#lease.isHeld && !options.isCutOff() ? this.#room : 0),
      hasSuspect: () => this.#suspects.size > 0,
      onClaimed: (claims) => this.#adopt(claims),
      onFull: () => this.#callForHelp(),
      onDoubt: () => this.#reconcile(),
    });
  }

  async start(): Promise<void> {
    await this.#lease.start();
    await this.#options.store.unblock(this.#known, this.clock.now(), this.#options.maxRecoveries);
    this.#claimer.poke();
  }

  get #known(): readonly string[] {
    return [...this.#options.workflows.keys()];
  }

  /** Others can tell by this lock that the worker lives. */
  async setLock(name: string | null): Promise<void> {
    await this.#lease.setLock(name);
  }

  /** Whether the instance is this worker's at this moment. */
  isRunning(id: string): boolean {
    return this.#runs.has(id);
  }

  get workerId(): string {
    return this.#options.record.id;
  }

  knows(workflow: AnyWorkflow): boolean {
    return this.#options.workflows.get(workflow.name) === workflow;
  }

  hasMessages(channel: string): Promise<boolean> {
    return this.#messages.ask(channel);
  }

  onSent(receivers: number, unheard: readonly string[]): void {
    if (receivers > 0) this.#options.onSent();
    // Who began to wait meanwhile was not seen.
    for (const channel of unheard) this.#options.rouse(channel);
  }

  /** There may be work, or there is: instances that are due, or messages to those that run here. */
  poke(isCertain = false): void {
    if (this.#stopping) return;
    if (isCertain) this.#claimer.expect();
    else this.#claimer.poke();
    this.#calls.look();
  }

  /** A place for an instance that is about to be created as owned; `settle` takes it up or gives it back. */
  reserve(id: string): { readonly workerId: string; settle(claim: Claim | undefined): void } | undefined {
    // One that is being started already will have been created by then.
    if (this.#stopping || this.#room <= 0 || !this.#lease.isHeld || this.#promised.has(id)) return undefined;
    this.#promised.add(id);
    return {
      workerId: this.#options.record.id,
      settle: (claim) => {
        this.#promised.delete(id);
        if (claim) this.#begin(claim, [], []);
        else this.#claimer.roomMade();
      },
    };
  }

  /** Whether its lease is held, and the database there as far as is known. */
  get isHeld(): boolean {
    return this.#lease.isHeld && !this.#options.isCutOff();
  }

  /**
   * Lets running activities end and hands everything back to other workers.
   *
   * @param patience milliseconds that running activities are given
   * @param others resolves when nothing else works by the lease
   */
  async stop(patience: number, others: Promise<void> = Promise.resolve()): Promise<void> {
    this.#stopping = true;
    await this.#claimer.stop();
    await this.#calls.stop();
    this.slots.clear();
    await settlesWithin(patience, this.#settle());
    await others;
    this.#dropAll("The app was shut down");
    await this.#lease.stop();
    try {
      await this.#options.store.leases.leave(this.#options.record, this.clock.now());
      this.#options.announce("work");
    } catch (error) {
      this.#options.log.warn("Instances could not be handed back; others take over when the lease ends.", {
        error: messageOf(error),
      });
    }
  }

  /** As if the process had died: it stops at once, hands nothing back and tells nobody. */
  kill(): void {
    this.#stopping = true;
    void this.#claimer.stop();
    void this.#calls.stop();
    void this.#lease.stop();
    this.#dropAll("The app was killed");
  }

  get load(): Load {
    const { slots, turns } = this;
    const parts = [this.#claimer, this.#calls, this.#messages, turns];
    const isMoving =
      parts.some(({ isBusy }) => isBusy) ||
      this.#promised.size > 0 ||
      slots.isHeldUp ||
      [...this.#runs.values()].some(({ isAdvancing }) => isAdvancing);
    return { attempts: slots.running, isMoving };
  }

  onParked(run: Run, wakeAt: number | null): void {
    this.#forget(run);
    run.facts?.runEnded("waiting");
    this.#parked.set(run.id, run);
    if (this.#parked.size > this.#options.maxParkedInstances) {
      const [oldest] = this.#parked.values();
      oldest?.drop("It has waited for long");
    }
    if (wakeAt !== null) this.#claimer.wakeAt(wakeAt);
  }

  onEnded(run: Run, patch: InstancePatch): void {
    this.#forget(run);
    run.facts?.runEnded("ended");
    const end = endOf(run.id, run.workflow.name, patch, run.cancel);
    if (end) {
      this.#options.announce("ended");
      this.#options.results.tell(end);
    }
    if (patch.event === "block") {
      this.#options.log.error("An instance is blocked.", {
        instanceId: run.id,
        workflow: run.workflow.name,
        error: messageOf(decode(patch.error)),
      });
    }
  }

  onForgiven(run: Run): void {
    if (this.#suspects.delete(run.id)) this.#claimer.poke();
  }

  onRecurred(run: Run, successor: Claim): void {
    // It takes the place of the other.
    this.#promised.add(successor.id);
    this.#forget(run);
    run.facts?.runEnded("ended");
    this.#options.results.follow(run.id, successor.id);
    void this.#loading.inboxesOf([successor.id]).then((inboxes) => {
      this.#promised.delete(successor.id);
      this.#begin(successor, [], inboxes?.get(successor.id) ?? []);
    });
  }

  onDropped(run: Run): void {
    const wasOurs = this.#runs.get(run.id) === run;
    this.#forget(run);
    run.facts?.runEnded("dropped");
    // Who waits for it was promised to be told, and did not look; it may have ended elsewhere already.
    if (!wasOurs || this.#stopping) return;
    this.#options.results.lookSoon();
    // And by the database's account it may be ours still.
    this.#claimer.doubt();
  }

  get #room(): number {
    return this.#options.maxConcurrentInstances - this.#runs.size - this.#promised.size;
  }

  /** Runs what was claimed: what is still in memory goes on at once, the rest after its history is read. */
  async #adopt(claims: readonly Claim[]): Promise<void> {
    if (claims.length > 0) this.#options.onWork();
    const inboxes = await this.#loading.inboxesOf(claims.flatMap(({ id, signals }) => (signals > 0 ? [id] : [])));
    // What is in memory goes on at once. One that was never owned before has no history.
    const cold = claims.filter((claim) => !this.#resume(claim, inboxes?.get(claim.id) ?? []));
    const known = cold.flatMap(({ id, epoch }) => (epoch > FIRST_EPOCH ? [id] : []));
    const histories = await this.#loading.historiesOf(known);
    for (const claim of cold) this.#begin(claim, histories?.get(claim.id) ?? [], inboxes?.get(claim.id) ?? []);
  }

  /** There is more to do than this worker can take: others may have room. */
  #callForHelp(): void {
    const now = performance.now();
    if (now - this.#calledAt < CALL_EVERY) return;
    this.#calledAt = now;
    this.#options.announce("work");
  }

  /** Gives back what is the worker's by the database's account, and which it does not run. */
  async #reconcile(): Promise<void> {
    const { store, record } = this.#options;
    const mine = new Set([...this.#runs.keys(), ...this.#promised]);
    for (const owned of await store.ownedBy(record.id)) {
      const isRun = mine.has(owned.id) || this.#runs.has(owned.id) || this.#promised.has(owned.id);
      if (!isRun) await store.free(record.id, owned, this.clock.now());
    }
  }

  #resume(claim: Claim, messages: readonly InboxMessage[]): boolean {
    const run = this.#parked.get(claim.id) ?? this.#runs.get(claim.id);
    this.#parked.delete(claim.id);
    if (this.#stopping || !run?.isResumable || run.epoch + 1 !== claim.epoch) return false;
    this.#keep(claim, run, messages.length);
    run.resume(claim, messages);
    return true;
  }

  #begin(claim: Claim, history: readonly HistoryEvent[] | Error, messages: readonly InboxMessage[]): void {
    if (this.#stopping) return;
    this.#runs.get(claim.id)?.drop("Another run of the instance has begun");
    const workflow = this.#options.workflows.get(claim.workflow);
    if (!workflow) {
      this.#claimer.doubt();
      return;
    }
    const run = this.#load(claim, workflow, history);
    if (!run) return;
    this.#keep(claim, run, messages.length);
    run.receive(messages, { signals: claim.signals, cancel: undefined });
    run.start();
  }

  #keep(claim: Claim, run: Run, inboxDepth: number): void {
    this.#runs.set(claim.id, run);
    run.facts?.runStarted(inboxDepth, claim.epoch === FIRST_EPOCH);
    if (claim.recoveries >= SUSPECT_FROM) this.#suspects.add(claim.id);
  }

  #load(claim: Claim, workflow: AnyWorkflow, history: readonly HistoryEvent[] | Error): Run | undefined {
    try {
      if (history instanceof Error) throw history;
      return new Run(claim, workflow, decode(claim.input) as unknown[], history, this);
    } catch (error) {
      void giveUpUnreadable(claim, error, this.#options.log, this);
      return undefined;
    }
  }

  /** Resolves when no activity runs and all that came of them is durable. */
  async #settle(): Promise<void> {
    await this.slots.idle();
    do {
      await new Promise((resolve) => setImmediate(resolve));
      await this.journal.drain();
    } while ([...this.#runs.values()].some((run) => run.isAdvancing));
  }

  #forget(run: Run): void {
    if (this.#runs.get(run.id) === run) this.#runs.delete(run.id);
    if (this.#parked.get(run.id) === run) this.#parked.delete(run.id);
    if (this.#stopping) return;
    this.#claimer.roomMade();
    // Others of its kind wait for it to go.
    if (this.#suspects.delete(run.id)) this.#claimer.poke();
  }

  #dropAll(reason: string): void {
    this.slots.clear();
    for (const run of [...this.#runs.values(), ...this.#parked.values()]) run.drop(reason);
  }
}
