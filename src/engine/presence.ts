/**
 * The connection by which this process is known: others see by its lock that the worker lives, and messages come in
 * through it. It is made anew whenever it breaks; meanwhile everything works by polling and by leases.
 *
 * Behind a pooler that deals out connections per transaction neither works: then another backend serves it each time, or
 * a message to itself does not arrive, and no use is made of the connection.
 */

import type { LiveConnection, Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import { clearTimeout, performance, setImmediate, setTimeout } from "./machine-time.ts";

/** Milliseconds until a message to itself has to have arrived. */
const PROBE_WITHIN = 2_000;

/** Milliseconds between two checks that the connection is still served by the same backend. */
const CHECK_EVERY = 15_000;

/** Milliseconds between two tries to connect: at first, and at most. */
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1_000;

/** What a message between processes can say: there may be work; an instance has ended; there are events for a broker. */
export type News = "work" | "ended" | "outbox";

export interface PresenceOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Unique to this start of this app. */
  readonly incarnation: string;
  /** Whether messages are wanted. */
  readonly listens: boolean;
  /** Told the name of the lock that is held, or `null` when it is lost; absent in a client, which needs none. */
  readonly onLock: ((name: string | null) => Promise<void>) | undefined;
  readonly onNews: (news: News) => void;
  /** The connection is back after it was lost. */
  readonly onBack: () => void;
  /** Whether messages come in has changed. */
  readonly onListening: (isListening: boolean) => void;
}

export class Presence {
  readonly #options: PresenceOptions;
  #live: LiveConnection | undefined;
  #since = Number.POSITIVE_INFINITY;
  #isListening = false;
  #isCutOff = false;
  #connections = 0;
  #keeping: Promise<void> | undefined;
  #stopped = false;
  #stop: () => void = () => {};
  readonly #stopping = new Promise<void>((resolve) => {
    this.#stop = resolve;
  });
  #onProbe: () => void = () => {};

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** For how long, in milliseconds, the connection has lasted; 0 without one. */
  get steadyFor(): number {
    return Math.max(0, performance.now() - this.#since);
  }

  /** Whether the connection was lost and is not back yet: the database may be away. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  /** Connects, and from then on keeps connected. */
  async start(): Promise<void> {
    const live = await this.#connect();
    if (live) this.#keeping = this.#keep(live);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop();
    await this.#live?.close();
    await this.#keeping;
  }

  async #keep(first: LiveConnection): Promise<void> {
    let live: LiveConnection | undefined = first;
    let wait = FIRST_WAIT;
    while (!this.#stopped && live) {
      await this.#last(live);
      this.#disconnected();
      live = undefined;
      while (!live && !this.#stopped) {
        await this.#pause(wait * (0.5 + Math.random()));
        try {
          live = await Promise.race([this.#connect(), this.#stopping.then(() => undefined)]);
          if (this.#stopped) return;
          wait = FIRST_WAIT;
          this.#isCutOff = false;
          this.#options.onBack();
          if (!live) return;
        } catch {
          wait = Math.min(2 * wait, LONGEST_WAIT);
        }
      }
    }
  }

  /** Resolves when the connection is no more, or not the same any more. */
  async #last(live: LiveConnection): Promise<void> {
    const backend = await live.backend().catch(() => undefined);
    const closed = live.closed.then(() => "closed" as const);
    const check = (): Promise<"check"> => this.#pause(CHECK_EVERY).then(() => "check");
    while (!this.#stopped && (await Promise.race([closed, check()])) === "check") {
      const now = await live.backend().catch(() => undefined);
      if (now !== backend) await live.close();
    }
  }

  /** `undefined` when the connection is of no use here. */
  async #connect(): Promise<LiveConnection | undefined> {
    const { store, listens, log, incarnation, onLock } = this.#options;
    const live = await store.live();
    if (!live) return undefined;
    // Where messages cannot come in, only the lock is of use.
    if (!live.listen && !onLock) {
      await live.close();
      return undefined;
    }
    try {
      // Asked first: a pooler would let the channel be listened to by a backend that others are given then.
      if ((await live.isShared()) || !(await this.#hears(live))) {
        log.warn(
          "Messages do not arrive through the database's connection: a pooler seems to be between. Workers poll, and " +
            "others' deaths are noticed when their leases end.",
        );
        await live.close();
        return undefined;
      }
      // A new lock for each connection: the server may not have noticed yet that the last one is gone.
      const name = `romancy:${incarnation}.${++this.#connections}`;
      if (onLock && (await live.lock(name))) await onLock(name);
    } catch (error) {
      await live.close();
      throw error;
    }
    if (this.#stopped) {
      await live.close();
      return undefined;
    }
    this.#live = live;
    this.#since = performance.now();
    this.#setListening(listens && live.listen !== undefined);
    return live;
  }

  async #hears(live: LiveConnection): Promise<boolean> {
    if (!live.listen) return true;
    const { store, incarnation } = this.#options;
    const arrived = new Promise<boolean>((resolve) => {
      this.#onProbe = () => resolve(true);
    });
    await live.listen(store.channel, (payload) => this.#onMessage(payload));
    await store.notify(`${incarnation} probe`);
    return Promise.race([arrived, this.#pause(PROBE_WITHIN).then(() => false)]);
  }

  #onMessage(payload: string): void {
    const [sender, ...news] = payload.split(" ");
    if (sender === this.#options.incarnation) {
      if (news[0] === "probe") this.#onProbe();
      return;
    }
    if (!this.#isListening) return;
    for (const item of news) {
      if (item === "work" || item === "ended" || item === "outbox") this.#options.onNews(item);
    }
  }

  #disconnected(): void {
    this.#since = Number.POSITIVE_INFINITY;
    this.#live = undefined;
    if (this.#stopped) return;
    this.#isCutOff = true;
    // Others must not take it for dead as long as its lease lasts. If they cannot be told, there is nothing to be done.
    this.#options.onLock?.(null).catch(() => {});
    if (this.#isListening) {
      this.#options.log.warn("The connection that hears other processes was lost. Polling until it is back.");
    }
    this.#setListening(false);
  }

  #setListening(isListening: boolean): void {
    if (isListening === this.#isListening) return;
    this.#isListening = isListening;
    this.#options.onListening(isListening);
  }

  async #pause(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const time = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([time, this.#stopping]);
    clearTimeout(timer);
  }
}

/** Sends news to other processes: the first at once, those that come while one is under way together. */
export class Announcer {
  readonly #store: Store;
  readonly #incarnation: string;
  readonly #isOn: boolean;
  readonly #pending = new Set<News>();
  #sending: Promise<void> | undefined;

  /** @param isOn whether anything is to be sent at all */
  constructor(store: Store, incarnation: string, isOn: boolean) {
    this.#store = store;
    this.#incarnation = incarnation;
    this.#isOn = isOn && store.hasMessages;
  }

  announce(news: News): void {
    if (!this.#isOn) return;
    this.#pending.add(news);
    this.#sending ??= this.#send();
  }

  /** Resolves when nothing is left to send. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    // A macrotask later: what else happens in this one goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.size > 0) {
      const payload = [this.#incarnation, ...this.#pending].join(" ");
      this.#pending.clear();
      try {
        await this.#store.notify(payload);
      } catch {
        // Others find out by polling.
      }
    }
    this.#sending = undefined;
  }
}
