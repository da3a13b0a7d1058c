/**
 * Sends events of the outbox to a broker.
 *
 * 1. What is claimed is this worker's alone: its token, and the worker's lease, say so. Without the lease nothing is sent.
 * 2. Events of one instance form a lane: they are sent one after the other, each when the one before is settled. One that
 *    is to be tried again holds its lane up; one that is given up does not.
 * 3. Claims and settlements take turns, so that what is found blocked is blocked.
 * 4. What was sent is settled together, when half a batch is there, or a moment later, or nothing is on its way any more.
 * 5. No more than `batchSize` events are held, and no more than `concurrency` are on their way.
 */

import { messageOf } from "../../core/errors.ts";
import { uuidv7 } from "../../core/uuid.ts";
import type { ClaimedEvent, Settlement, StoredOutbox } from "../../store/store.ts";
import type { Logger } from "../../workflow/logger.ts";
import type { Publisher } from "../../workflow/outbox.ts";
import { Alarm } from "../alarm.ts";
import type { Clock } from "../clock.ts";
import { performance, setImmediate } from "../machine-time.ts";
import { settlesWithin } from "../patience.ts";
import { Slots } from "../slots.ts";
import type { HookRunner } from "../watching/hooks.ts";
import { eventFactOf, failureOf, tellSettled } from "../watching/outbox-facts.ts";
import { Dispatch } from "./dispatch.ts";
import type { RelaySettings } from "./outbox-options.ts";

/** Milliseconds until the next try when the database did not answer, at first and at most; doubled each time. */
const RETRY_AFTER = 20;
const RETRY_AFTER_AT_MOST = 1_000;

/** Milliseconds that events which were sent wait for others, so that one commit settles them (4). */
const SETTLED_WITHIN = 10;

/** Milliseconds until the next look when others were faster. */
const MISSED_AGAIN_AFTER = 20;

export interface RelayerOptions {
  readonly outbox: StoredOutbox;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workerId: string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly publisher: Publisher;
  readonly settings: RelaySettings;
  readonly hooks: HookRunner | undefined;
  /** Whether the worker's lease is held. */
  readonly mayWork: () => boolean;
}

type Released = Extract<Settlement, { readonly type: "released" }>;

export class Relayer {
  readonly #options: RelayerOptions;
  readonly #slots: Slots;
  /** By instance; the first of each is on its way, or waits for a slot. */
  readonly #lanes = new Map<string, ClaimedEvent[]>();
  /** What is this worker's, and not settled yet, by position. */
  readonly #held = new Map<number, ClaimedEvent>();
  readonly #dispatches = new Set<Dispatch>();
  #settlements: Settlement[] = [];
  /** Tokens of claims that were not answered: what they claimed is nobody's business. */
  #unanswered: string[] = [];
  #running: Promise<void> | undefined;
  /** Whether there may be events to claim, and whether there are. */
  #again = false;
  #isExpected = false;
  #failed = 0;
  /** Called when something was sent, or is to be. */
  #onNews: () => void = () => {};
  /** How often the lease was lost. */
  #lives = 0;
  #stopped = false;
  readonly #alarm: Alarm;

  constructor(options: RelayerOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => this.poke());
    this.#slots = new Slots(options.settings.concurrency, options.mayWork);
  }

  /** There may be events to send. */
  poke(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#slots.poke();
    this.#go();
  }

  /** There are: they are claimed without a look whether there are any. */
  expect(): void {
    this.#isExpected = true;
    this.poke();
  }

  /** An event will be due then; it may be past. */
  wakeAt(time: number): void {
    if (!this.#stopped) this.#alarm.set(time);
  }

  /** Whether it claims, sends or settles. */
  get isBusy(): boolean {
    return this.#running !== undefined || this.#dispatches.size > 0 || this.#slots.isHeldUp;
  }

  /** As if the process had died. */
  kill(): void {
    this.#stopped = true;
    this.#alarm.callOff();
    this.drop("The app was killed");
  }

  /** The lease is lost: others send what was this worker's (1). */
  drop(reason: string): void {
    this.#lives++;
    this.#slots.clear();
    this.#lanes.clear();
    this.#held.clear();
    for (const dispatch of this.#dispatches) dispatch.abandon(new Error(reason));
  }

  /**
   * Lets what is on its way arrive, and gives back the rest.
   *
   * @param patience milliseconds
   */
  async stop(patience: number): Promise<void> {
    this.#stopped = true;
    this.#alarm.callOff();
    this.#slots.clear();
    const sent = new Set([...this.#dispatches].map(({ event }) => event));
    for (const [instanceId, lane] of this.#lanes) {
      this.#release(lane.filter((event) => !sent.has(event)));
      this.#lanes.set(
        instanceId,
        lane.filter((event) => sent.has(event)),
      );
    }
    if (!(await settlesWithin(patience, this.#slots.idle()))) {
      for (const dispatch of this.#dispatches) dispatch.abandon(new Error("The app was shut down"));
      await this.#slots.idle();
    }
    await this.#running;
    // What the database does not take now it gives back when the worker leaves, or is seen to be gone.
    await this.#settle().catch((error: unknown) => this.#endure(error));
    await this.#options.publisher.close?.().catch((error: unknown) => {
      this.#options.log.warn("The publisher could not be closed.", { error: messageOf(error) });
    });
  }

  #go(): void {
    this.#onNews();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#settlements.length > 0 || (this.#again && !this.#stopped)) {
        // A macrotask later: what else happens in this one goes along.
        await new Promise((resolve) => setImmediate(resolve));
        if (this.#canClaim()) await this.#claim();
        else await this.#settleTogether();
        this.#failed = 0;
      }
    } catch (error) {
      this.#endure(error);
    }
  }

  /** It is tried again: what was sent must be known to be, and until then nothing else is claimed. */
  #endure(error: unknown): void {
    const { log, clock } = this.#options;
    log.warn("The outbox could not be read or written; it is tried again.", { error: messageOf(error) });
    this.#again = true;
    this.wakeAt(clock.now() + Math.min(RETRY_AFTER * 2 ** this.#failed++, RETRY_AFTER_AT_MOST));
  }

  /** Without room it comes back when something is settled; without the lease, when it is held again. */
  #canClaim(): boolean {
    this.#again &&= this.#room > 0 && !this.#stopped && this.#options.mayWork();
    return this.#again;
  }

  get #room(): number {
    return this.#options.settings.batchSize - this.#held.size;
  }

  async #settleTogether(): Promise<void> {
    const half = this.#options.settings.batchSize / 2;
    const deadline = performance.now() + SETTLED_WITHIN;
    while (this.#dispatches.size > 0 && this.#settlements.length < half && !this.#canClaim() && !this.#stopped) {
      const wait = deadline - performance.now();
      if (wait <= 0) break;
      await settlesWithin(wait, new Promise<void>((resolve) => (this.#onNews = resolve)));
    }
    if (!this.#canClaim()) await this.#settle();
  }

  async #settle(): Promise<void> {
    const batch = this.#settlements;
    if (batch.length === 0) return;
    this.#settlements = [];
    try {
      await this.#options.outbox.settle(batch);
    } catch (error) {
      this.#settlements = [...batch, ...this.#settlements];
      throw error;
    }
    for (const settlement of batch) this.#settled(settlement);
    this.#noteRetries(batch);
    // There is room again, or what waited behind is due.
    this.#again = true;
  }

  #settled(settlement: Settlement): void {
    const { hooks } = this.#options;
    const event = this.#held.get(settlement.position);
    // What it settles may have been another's meanwhile, and be this worker's anew.
    if (event?.token !== settlement.token) return;
    this.#held.delete(settlement.position);
    if (hooks) tellSettled(hooks, event, settlement);
  }

  /** Its own retries need no look at the database. */
  #noteRetries(settlements: readonly Settlement[]): void {
    const now = this.#options.clock.now();
    for (const settlement of settlements) {
      if (settlement.type === "failed" && settlement.status === "pending") this.wakeAt(now + settlement.delay);
    }
  }

  async #claim(): Promise<void> {
    const { outbox, workerId, clock, randomBytes, mayWork } = this.#options;
    const room = this.#room;
    await this.#settleDoubt();
    const isExpected = this.#isExpected;
    this.#isExpected = false;
    this.#again = isExpected;
    if (!isExpected && !(await this.#isDue())) return;
    const token = uuidv7(clock.now(), randomBytes(10));
    this.#unanswered.push(token);
    const lives = this.#lives;
    const claimed = await outbox.claim(workerId, token, room, new Set(this.#held.keys()));
    this.#unanswered.pop();
    if (claimed.length > 0) this.#again = true;
    // What is due and could not be had is being claimed by another, or was put off.
    else if (!isExpected) this.wakeAt(clock.now() + MISSED_AGAIN_AFTER);
    if (this.#stopped || !mayWork() || lives !== this.#lives) this.#release(claimed);
    else for (const event of claimed) this.#enqueue(event);
  }

  /** Looks whether anything is due; if not, comes back when it will be. */
  async #isDue(): Promise<boolean> {
    const due = await this.#options.outbox.nextDue();
    const now = this.#options.clock.now();
    if (due !== undefined && due > now) this.wakeAt(due);
    return due !== undefined && due <= now;
  }

  async #settleDoubt(): Promise<void> {
    for (let token = this.#unanswered[0]; token !== undefined; token = this.#unanswered[0]) {
      await this.#options.outbox.free(this.#options.workerId, token);
      this.#unanswered.shift();
    }
  }

  #enqueue(event: ClaimedEvent): void {
    // While it was claimed, what it follows may have come to be tried again later.
    const heldUp = this.#settlements.find((one) => one.instanceId === event.instanceId && holdsUp(one));
    if (heldUp && holdsUp(heldUp)) {
      this.#release([event], heldUp.delay);
      return;
    }
    this.#held.set(event.position, event);
    const lane = this.#lanes.get(event.instanceId);
    if (lane) lane.push(event);
    else {
      this.#lanes.set(event.instanceId, [event]);
      this.#slots.run(() => this.#send(event));
    }
  }

  async #send(event: ClaimedEvent): Promise<void> {
    const { publisher, settings, clock, hooks } = this.#options;
    const dispatch = new Dispatch(event, { publisher, settings, clock });
    this.#dispatches.add(dispatch);
    const run = (): Promise<Settlement> => dispatch.run();
    const settlement = await (hooks ? hooks.aroundSend(() => eventFactOf(event), run, failureOf) : run());
    this.#dispatches.delete(dispatch);
    this.#note(event, settlement);
    this.#settlements.push(settlement);
    this.#advance(event, settlement);
    this.#go();
  }

  #note({ position, instanceId, attributes }: ClaimedEvent, settlement: Settlement): void {
    if (settlement.type !== "failed") return;
    const { status, error, attempts, delay } = settlement;
    const facts = { eventId: attributes["id"], position, instanceId, attempts, error };
    const { log } = this.#options;
    if (status === "pending") log.warn("An event could not be sent; it is tried again.", { ...facts, delay });
    else log.error(`An event could not be sent, and is ${status}. See app.outbox.retry.`, facts);
  }

  /** What follows in the lane is sent, or given back, to be claimed with what holds it up (2). */
  #advance(event: ClaimedEvent, settlement: Settlement): void {
    const { instanceId } = event;
    const lane = this.#lanes.get(instanceId);
    // It may be the lane of a later claim.
    if (lane?.[0] !== event) return;
    lane.shift();
    const [next] = lane;
    const isHeldUp = holdsUp(settlement);
    if (isHeldUp) this.#release(lane, settlement.delay);
    if (isHeldUp || !next || this.#stopped) this.#lanes.delete(instanceId);
    else this.#slots.run(() => this.#send(next));
  }

  #release(events: readonly ClaimedEvent[], delay = 0): void {
    const released = events.map(
      ({ position, token, instanceId }): Released => ({ type: "released", position, token, instanceId, delay }),
    );
    this.#settlements.push(...released);
    if (released.length > 0) this.#go();
  }
}

/** Whether what follows in the lane has to wait. */
function holdsUp(settlement: Settlement): settlement is Exclude<Settlement, { readonly type: "published" }> {
  return settlement.type === "released" || (settlement.type === "failed" && settlement.status === "pending");
}
