import { type Connection, type Database, type Immediate, isImmediate } from "./database.ts";
import type { Dialect } from "./dialect.ts";
import type { Naming } from "./naming.ts";
import type { Bindable } from "./sql.ts";
import { type Compiled, compile, type Statement } from "./statement.ts";

export type Params<Name extends string> = Readonly<Record<Name, Bindable>>;

/** Runs statements on one connection. */
export interface Queries {
  all<Name extends string, Row>(statement: Statement<Name, Row>, params: Params<Name>): Promise<Row[]>;
  /** How many rows were changed. */
  run<Name extends string>(statement: Statement<Name>, params: Params<Name>): Promise<number>;
  /** The same at once, where the database is part of this process. */
  readonly runNow?: (<Name extends string>(statement: Statement<Name>, params: Params<Name>) => number) | undefined;
}

/** Runs statements on connections, compiling each once for the database. */
export class Runner {
  readonly #dialect: Dialect;
  readonly #naming: Naming;
  /** Whether a transaction can keep rows from others while these change other rows. */
  readonly locksRows: boolean;
  readonly #compiled = new Map<Statement<string, unknown>, Compiled>();

  constructor({ dialect, naming }: Pick<Database, "dialect" | "naming">) {
    this.#dialect = dialect;
    this.locksRows = dialect.lockRow !== "";
    this.#naming = naming;
  }

  all<Name extends string, Row>(
    connection: Connection,
    statement: Statement<Name, Row>,
    params: Params<Name>,
  ): Promise<Row[]> {
    const compiled = this.#compile(statement);
    return connection.all(compiled, this.#bind(compiled, params)) as Promise<unknown[]> as Promise<Row[]>;
  }

  /** How many rows were changed. */
  run<Name extends string>(connection: Connection, statement: Statement<Name>, params: Params<Name>): Promise<number> {
    const compiled = this.#compile(statement);
    return connection.run(compiled, this.#bind(compiled, params));
  }

  on(connection: Connection): Queries {
    return {
      all: (statement, params) => this.all(connection, statement, params),
      run: (statement, params) => this.run(connection, statement, params),
      runNow: isImmediate(connection) ? (statement, params) => this.#runNow(connection, statement, params) : undefined,
    };
  }

  #runNow(connection: Immediate, statement: Statement<string>, params: Params<string>): number {
    const compiled = this.#compile(statement);
    return connection.runNow(compiled, this.#bind(compiled, params));
  }

  #compile(statement: Statement<string, unknown>): Compiled {
    let compiled = this.#compiled.get(statement);
    if (!compiled) {
      compiled = compile(statement, this.#dialect, this.#naming);
      this.#compiled.set(statement, compiled);
    }
    return compiled;
  }

  #bind(compiled: Compiled, params: Params<string>): Bindable[] {
    return compiled.keys.map((key) => {
      // A name that is missing would not compile; `undefined` is refused by every driver.
      const value = params[key] as Bindable;
      return Array.isArray(value) ? this.#dialect.bindList(value) : value;
    });
  }
}
