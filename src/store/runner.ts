import type { Connection } from "./database.ts";
import type { Dialect } from "./dialect.ts";
import type { SqlValue } from "./sql.ts";
import { type Compiled, compile, type Statement } from "./statement.ts";

type Params<Name extends string> = Readonly<Record<Name, SqlValue>>;

/** Runs statements on connections, compiling each once for the database. */
export class Runner {
  readonly #dialect: Dialect;
  readonly #compiled = new Map<Statement<string, unknown>, Compiled>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  all<Name extends string, Row>(
    connection: Connection,
    statement: Statement<Name, Row>,
    params: Params<Name>,
  ): Promise<Row[]> {
    const compiled = this.#compile(statement);
    return connection.all(compiled, bind(compiled, params)) as Promise<unknown[]> as Promise<Row[]>;
  }

  /** How many rows were changed. */
  run<Name extends string>(connection: Connection, statement: Statement<Name>, params: Params<Name>): Promise<number> {
    const compiled = this.#compile(statement);
    return connection.run(compiled, bind(compiled, params));
  }

  #compile(statement: Statement<string, unknown>): Compiled {
    let compiled = this.#compiled.get(statement);
    if (!compiled) {
      compiled = compile(statement, this.#dialect);
      this.#compiled.set(statement, compiled);
    }
    return compiled;
  }
}

function bind(compiled: Compiled, params: Params<string>): SqlValue[] {
  // A name that is missing would not compile; `undefined` is refused by every driver.
  return compiled.keys.map((key) => params[key] as SqlValue);
}
