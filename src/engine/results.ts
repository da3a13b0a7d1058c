/** Those who wait for instances to end: told at once by this process, and by looking when another process ended them. */

import { failureOf } from "../core/child.ts";
import { decode } from "../core/codec.ts";
import { AppStateError, InstanceNotFoundError, ResultTimeoutError } from "../core/errors.ts";
import { isFinished } from "../core/status.ts";
import type { Ending, Store } from "../store/store.ts";
import { clearTimeout, setImmediate, setTimeout } from "./machine-time.ts";

/** Milliseconds until it is asked again when the database did not answer. */
const RETRY_AFTER = 250;

interface Waiter {
  /** The instance whose end is waited for: the one that was asked for, or what it went on as. */
  id: string;
  readonly resolve: (ending: Ending) => void;
  readonly reject: (error: unknown) => void;
}

interface Asked {
  readonly id: string;
  readonly reject: (error: unknown) => void;
}

export class Results {
  readonly #store: Store;
  readonly #waiters = new Map<string, Set<Waiter>>();
  /** Instances that were not looked at yet, and whom to tell that they do not exist, or cannot be read. */
  #asked: Asked[] = [];
  #looking: Promise<void> | undefined;
  #looksAgain = false;
  /** Answers under way. */
  #answering = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether anybody waits. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  /** Whether it is looking how instances stand. */
  get isBusy(): boolean {
    return this.#answering > 0 || this.#looking !== undefined;
  }

  /**
   * Resolves when the instance has ended.
   *
   * @param timeout milliseconds, or `undefined` to wait for ever
   * @param isRunningHere then the end will be told, and nobody needs to look
   */
  async wait(id: string, timeout: number | undefined, isRunningHere: boolean): Promise<Ending> {
    const { promise, resolve, reject } = Promise.withResolvers<Ending>();
    const waiter: Waiter = { id, resolve, reject };
    // Before looking: an end between the look and the wait must not be missed.
    this.#add(waiter);
    const timer =
      timeout === undefined ? undefined : setTimeout(() => reject(new ResultTimeoutError(id, timeout)), timeout);
    try {
      if (!isRunningHere) this.#ask(id, reject);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#remove(waiter);
    }
  }

  /** The instance goes on as another: that one's end is waited for. */
  follow(id: string, successor: string): void {
    const waiters = this.#waiters.get(id);
    if (!waiters || id === successor) return;
    for (const waiter of waiters) {
      this.#remove(waiter);
      waiter.id = successor;
      this.#add(waiter);
    }
  }

  /** The instance has ended, durably. */
  tell(ending: Ending): void {
    for (const { resolve } of this.#waiters.get(ending.id) ?? []) resolve(ending);
  }

  /** Looks whether instances that are waited for have ended elsewhere. */
  async look(): Promise<void> {
    if (!this.isAwaited) return;
    await this.#settle(await this.#store.ended([...this.#waiters.keys()]));
  }

  /** Looks a moment later, once for all that ask for it until then. */
  lookSoon(): void {
    this.#looksAgain = true;
    this.#looking ??= this.#lookWhileAsked();
  }

  /** Nobody will be told any more. */
  async close(): Promise<void> {
    this.#looksAgain = false;
    await this.#looking;
    for (const [id, waiters] of this.#waiters) {
      const error = new AppStateError(`The app was shut down while the result of instance ${id} was awaited.`);
      for (const { reject } of waiters) reject(error);
    }
  }

  /** Looks how the instance stands, a moment later, together with all others that are asked for until then. */
  #ask(id: string, reject: (error: unknown) => void): void {
    this.#asked.push({ id, reject });
    if (this.#asked.length > 1) return;
    this.#answering++;
    setImmediate(() => void this.#answer().finally(() => this.#answering--));
  }

  async #answer(): Promise<void> {
    const asked = this.#asked;
    this.#asked = [];
    try {
      const standings = await this.#store.standings([...new Set(asked.map(({ id }) => id))]);
      const known = new Set(standings.map(({ id }) => id));
      for (const { id, reject } of asked) if (!known.has(id)) reject(new InstanceNotFoundError(id));
      await this.#settle(standings.filter(({ status }) => isFinished(status)));
    } catch (error) {
      if (this.#store.isTransient(error)) setTimeout(() => this.#askAgain(asked), RETRY_AFTER);
      else for (const { reject } of asked) reject(error);
    }
  }

  /** Tells of those that have ended, and follows those that went on as others. */
  async #settle(endings: readonly Ending[]): Promise<void> {
    for (const ending of endings) {
      if (ending.status !== "recurred") {
        this.tell(ending);
        continue;
      }
      const current = await this.#store.current(ending.id);
      const waiting = [...(this.#waiters.get(ending.id) ?? [])];
      this.follow(ending.id, current);
      for (const { reject } of waiting) this.#ask(current, reject);
    }
  }

  /** A database that is away is waited for, as it is by those who have been answered before. */
  #askAgain(asked: readonly Asked[]): void {
    for (const { id, reject } of asked) if (this.#waiters.has(id)) this.#ask(id, reject);
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#looksAgain) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#looksAgain = false;
      try {
        await this.look();
      } catch {
        // When the database does not answer, the next change that is noticed makes for another look.
      }
    }
    this.#looking = undefined;
  }

  #add(waiter: Waiter): void {
    const waiters = this.#waiters.get(waiter.id);
    if (waiters) waiters.add(waiter);
    else this.#waiters.set(waiter.id, new Set([waiter]));
  }

  #remove(waiter: Waiter): void {
    const waiters = this.#waiters.get(waiter.id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiters.delete(waiter.id);
  }
}

/**
 * What an instance that has ended gave.
 *
 * @throws WorkflowFailedError
 */
export function resultOf(ending: Ending, workflow: string): unknown {
  if (ending.status !== "completed") throw failureOf(workflow, ending.id, ending, decode);
  return ending.output === null ? undefined : decode(ending.output);
}
