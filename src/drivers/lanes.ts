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
  readonly #waiting: (() => void)[] = [];
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
      if (this.#closed) throw new Error("The database is closed.");
      const client = this.#idle.pop();
      if (client) return client;
      if (this.#open < this.#options.size) return this.#connect();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  give(client: Client, isBroken = false): void {
    if (isBroken || this.#closed) {
      this.#open--;
      this.#options.release(client, isBroken);
    } else {
      this.#idle.push(client);
    }
    this.#waiting.shift()?.();
  }

  /** Gives all connections back; those in use when they are free. */
  close(): void {
    this.#closed = true;
    for (const client of this.#idle.splice(0)) {
      this.#open--;
      this.#options.release(client, false);
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #connect(): Promise<Client> {
    this.#open++;
    try {
      return await this.#options.open();
    } catch (error) {
      this.#open--;
      this.#waiting.shift()?.();
      throw error;
    }
  }
}
