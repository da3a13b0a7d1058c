/** What a worker does now and then for all: calls for messages that a crash has kept from their takers, and cleaning. */

import { messageOf } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import type { Clock } from "./clock.ts";
import type { Journal } from "./journal.ts";
import { clearInterval, setInterval } from "./machine-time.ts";

/** Milliseconds between two looks for messages that nobody was called for. */
const ROUSE_EVERY = 10_000;

/** Who waits for messages of a channel, in one transaction. */
const ROUSED_AT_ONCE = 100;

/** Milliseconds between two cleanings. */
const CLEAN_EVERY = 60_000;

/** Milliseconds between two looks for what has ended long ago: they read along all instances that are old enough. */
const SWEEP_EVERY = 600_000;

export interface HousekeepingOptions {
  readonly store: Store;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds for which messages are kept that nobody competes for. */
  readonly messageRetention: number;
  /** Milliseconds for which published events are kept. */
  readonly outboxRetention: number;
  /** Milliseconds for which a message that was taken is remembered, so that a copy of it is not put in again. */
  readonly takenRetention: number;
  /** Removes what has ended long ago, until the signal. */
  readonly sweep: (signal: AbortSignal) => Promise<void>;
  /** Instances were called. */
  readonly onCalled: () => void;
}

export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #timers: NodeJS.Timeout[] = [];
  #busy: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  /** Channels for which a call waits for its batch: it is made after all that was published before it is taken. */
  readonly #rousing = new Set<string>();

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    const every = (milliseconds: number, task: () => Promise<void>): NodeJS.Timeout =>
      // Workers that were started together do not stay together.
      setInterval(() => this.#run(task), milliseconds * (0.75 + Math.random() / 2)).unref();
    this.#timers = [
      every(ROUSE_EVERY, () => this.rouseAll()),
      every(CLEAN_EVERY, () => this.clean()),
      every(SWEEP_EVERY, () => this.sweep()),
    ];
  }

  get isBusy(): boolean {
    return this.#busy !== undefined;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#stopping.abort();
    await this.#busy;
  }

  /** Calls who waits for a message of the channel, if there is one. */
  async rouse(channel: string): Promise<void> {
    if (this.#rousing.has(channel)) return;
    this.#rousing.add(channel);
    const { journal, clock, onCalled } = this.#options;
    const result = await journal.submit(() => {
      this.#rousing.delete(channel);
      return { type: "rouse", channel, at: clock.now(), limit: ROUSED_AT_ONCE };
    });
    if (result?.type !== "delivered" || result.receivers === 0) return;
    onCalled();
    if (result.receivers === ROUSED_AT_ONCE) await this.rouse(channel);
  }

  /** The same for all channels where somebody waits beside a message. */
  async rouseAll(): Promise<void> {
    for (const channel of await this.#options.store.stalledChannels()) await this.rouse(channel);
  }

  /** Removes what nobody needs any more. */
  async clean(): Promise<void> {
    const { store, clock, messageRetention, outboxRetention, takenRetention } = this.#options;
    const now = clock.now();
    while (await store.outbox.forget(now - outboxRetention));
    while (await store.forgetMessages(now - takenRetention, now - messageRetention));
  }

  /** Removes what has ended long ago. */
  async sweep(): Promise<void> {
    await this.#options.sweep(this.#stopping.signal);
  }

  /** One task at a time; what is not done now is done the next time. */
  #run(task: () => Promise<void>): void {
    if (this.#busy) return;
    this.#busy = task()
      .catch((error: unknown) => {
        this.#options.log.warn("The database did not answer a worker's housekeeping.", { error: messageOf(error) });
      })
      .finally(() => {
        this.#busy = undefined;
      });
  }
}
