/** The engine's statements and transactions on lanes, whatever the database. */
import type { Connection, Row, Together, Transaction } from "../store/database.ts";
import type { Bindable } from "../store/sql.ts";
import type { Compiled } from "../store/statement.ts";
import type { Lanes } from "./lanes.ts";

/** Runs each statement on the next free lane, as a transaction of its own. */
export function connectionThrough<Client>(
  lanes: Lanes<Client>,
  connectionOf: (client: Client) => Connection,
): Connection {
  return {
    all: (statement, values) => lanes.use((client) => connectionOf(client).all(statement, values)),
    run: (statement, values) => lanes.use((client) => connectionOf(client).run(statement, values)),
    script: (text) => lanes.use((client) => connectionOf(client).script(text)),
  };
}

/** Begins a transaction on the next free lane, which it keeps until it ends. */
export async function beginOn<Client, Of extends Connection>(
  lanes: Lanes<Client>,
  connectionOf: (client: Client) => Of,
  begin: (connection: Of) => Promise<void>,
): Promise<Transaction> {
  const client = await lanes.take();
  const connection = connectionOf(client);
  const transaction = new LaneTransaction(connection, (isBroken) => lanes.give(client, isBroken));
  await transaction.begin(() => begin(connection));
  return transaction;
}

class LaneTransaction implements Transaction {
  readonly together: Together | undefined;
  readonly #connection: Connection;
  readonly #release: (isBroken: boolean) => void;
  #isOver = false;

  constructor(connection: Connection, release: (isBroken: boolean) => void) {
    this.#connection = connection;
    this.together = connection.together?.bind(connection);
    this.#release = release;
  }

  all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return this.#connection.all(statement, values);
  }

  run(statement: Compiled, values: readonly Bindable[]): Promise<number> {
    return this.#connection.run(statement, values);
  }

  script(text: string): Promise<void> {
    return this.#connection.script(text);
  }

  async begin(begin: () => Promise<void>): Promise<void> {
    try {
      await begin();
    } catch (error) {
      this.#end(true);
      throw error;
    }
  }

  async commit(): Promise<void> {
    await this.#endWith("commit");
  }

  async rollback(): Promise<void> {
    // After a commit that failed there is nothing left to roll back.
    if (!this.#isOver) await this.#endWith("rollback").catch(() => {});
  }

  /** The lane is free afterwards, or thrown away when the statement has failed. */
  async #endWith(statement: "commit" | "rollback"): Promise<void> {
    try {
      await this.script(statement);
    } catch (error) {
      this.#end(true);
      throw error;
    }
    this.#end(false);
  }

  #end(isBroken: boolean): void {
    this.#isOver = true;
    this.#release(isBroken);
  }
}
