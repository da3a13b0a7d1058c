import { ClosedError } from "./outside.ts";
import { within } from "./within.ts";

/** Milliseconds that closing waits for connections that are being opened: a pool that is used up may give none. */
const OPENED_WITHIN = 500;

/**
 * A few connections of a pool that the engine keeps for itself: commits and claims never stand in a queue behind users'
 * transactions, and a pool that users' code has used up cannot cost a worker its lease.
 */
interface LaneOptions<Client> {
  /** How many connections at most. */
  readonly size: number;
  readonly open: () => Promise<Client>;
  /** Gives it back to its pool, or throws it away when it is not fit for use. */
  readonly release: (client: Client, isBroken: boolean) => void;
  readonly isBroken: (client: Client, error: unknown) => boolean;
}

export class Lanes<Client> {
  readonly #options: LaneOptions<Client>;
  readonly #idle: Client[] = [];
  readonly #used = new Set<Client>();
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  readonly #opening = new Set<Promise<void>>();
  /** Those that are being opened among them. */
  #open = 0;
  #closed = false;

  constructor(options: LaneOptions<Client>) {
    this.#options = options;
  }

  /** Lets the work have a connection of its own. */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.take();
    try {
      const result = await work(client);
      this.give(client);
      return result;
    } catch (error) {
      this.give(client, this.#options.isBroken(client, error));
      throw error;
    }
  }

  async take(): Promise<Client> {
    for (;;) {
      if (this.#closed) throw new ClosedError();
      const client = this.#idle.pop();
      if (client) {
        this.#used.add(client);
        return client;
      }
      // The pool may let it wait for as long as users' transactions last; another lane may be free before that.
      if (this.#open < this.#options.size) this.#add();
      const turn = Promise.withResolvers<void>();
      this.#waiting.push(turn);
      await turn.promise;
    }
  }

  give(client: Client, isBroken = false): void {
    this.#used.delete(client);
    if (isBroken || this.#closed) {
      this.#open--;
      this.#options.release(client, isBroken);
    } else {
      this.#idle.push(client);
    }
    this.#waiting.shift()?.resolve();
  }

  /** Gives all connections back; those in use when they are free, those that come too late when they come. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const client of this.#idle.splice(0)) {
      this.#open--;
      this.#options.release(client, false);
    }
    for (const turn of this.#waiting.splice(0)) turn.resolve();
    await within(OPENED_WITHIN, Promise.all(this.#opening)).catch(() => {});
  }

  /** Breaks off whatever is under way. */
  destroy(): void {
    this.#closed = true;
    for (const client of this.#used) this.#options.release(client, true);
    this.#used.clear();
    for (const turn of this.#waiting.splice(0)) turn.resolve();
  }

  #add(): void {
    const opening = this.#connect();
    this.#opening.add(opening);
    void opening.then(() => this.#opening.delete(opening));
  }

  async #connect(): Promise<void> {
    this.#open++;
    let client: Client;
    try {
      client = await this.#options.open();
    } catch (error) {
      this.#open--;
      this.#waiting.shift()?.reject(error);
      // There is room for the next to try it.
      this.#waiting.shift()?.resolve();
      return;
    }
    this.give(client);
  }
}
