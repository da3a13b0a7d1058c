import { SessionError } from "../core/errors.ts";
import { within } from "./within.ts";

/** Milliseconds that a rollback is given: a statement of the user's may be under way that takes its time. */
const ROLLED_BACK_WITHIN = 500;

interface SessionConnectionOptions<Client> {
  readonly open: () => Promise<Client>;
  readonly begin: (client: Client) => Promise<void>;
  /** Gives it back to its pool, or closes it when it is not fit for use. */
  readonly release: (client: Client, isBroken: boolean) => void;
}

/** The connection of a session: asked of the pool at once, begun when it is there, and given back at the end. */
export class SessionConnection<Client> {
  /** With the transaction begun. */
  readonly connected: Promise<Client>;
  readonly begun: Promise<void>;
  readonly #options: SessionConnectionOptions<Client>;
  #hasBegun = false;
  #isOver = false;

  constructor(options: SessionConnectionOptions<Client>) {
    this.#options = options;
    this.connected = this.#begin();
    this.begun = this.connected.then(() => {
      this.#hasBegun = true;
    });
    // Whoever uses the session is told.
    this.begun.catch(() => {});
  }

  /** Whether it has been given back, or will be as soon as it comes. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * The connection, for a statement. Whoever waited for it may come too late: then it is somebody else's already, or
   * what is written stays written.
   */
  async use(): Promise<Client> {
    const client = await this.connected;
    if (this.#isOver) throw new SessionError("The activity's session has ended: it cannot be used.");
    return client;
  }

  /** Ends the session with what commits. */
  async commit(last: (client: Client) => Promise<unknown>): Promise<void> {
    await this.#end(last);
  }

  /** Ends the session with what undoes its writes; what takes too long is undone by closing the connection. */
  async rollback(undo: (client: Client) => Promise<unknown>): Promise<void> {
    if (this.#isOver) return;
    const ended = this.#end((client) => within(ROLLED_BACK_WITHIN, undo(client))).catch(() => {});
    // The pool may have no connection for a long time; nothing has been written yet.
    if (this.#hasBegun) await ended;
  }

  async #begin(): Promise<Client> {
    const { open, begin, release } = this.#options;
    const client = await open();
    if (this.#isOver) {
      release(client, false);
      throw new SessionError("The activity's session ended before the pool had a connection for it.");
    }
    try {
      await begin(client);
      return client;
    } catch (error) {
      release(client, true);
      throw error;
    }
  }

  async #end(last: (client: Client) => Promise<unknown>): Promise<void> {
    this.#isOver = true;
    const client = await this.connected;
    try {
      await last(client);
    } catch (error) {
      this.#options.release(client, true);
      throw error;
    }
    this.#options.release(client, false);
  }
}
