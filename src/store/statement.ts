import type { Dialect } from "./dialect.ts";
import { type Naming, qualify } from "./naming.ts";
import type { Sql } from "./sql.ts";

/** A statement, written once for all databases. `Name` are its parameters, `Row` what it returns, if anything. */
export interface Statement<Name extends string, Row = never> {
  readonly name: string;
  readonly build: (dialect: Dialect) => Sql<Name>;
  /** Carries the row's type only. */
  readonly row?: Row;
}

/** Defines a statement; `name` is also the name of the prepared statement. */
export function statement<Name extends string, Row = never>(
  name: string,
  build: (dialect: Dialect) => Sql<NoInfer<Name>>,
): Statement<Name, Row> {
  return { name, build };
}

/** A statement in the words of one database. */
export interface Compiled {
  readonly name: string;
  readonly text: string;
  /** Names in the order of binding. */
  readonly keys: readonly string[];
}

export function compile(source: Statement<string, unknown>, dialect: Dialect, naming: Naming): Compiled {
  const keys: string[] = [];
  const text = source
    .build(dialect)
    .parts.map((part) => {
      if (typeof part === "string") return part;
      const known = dialect.reusesParameters ? keys.indexOf(part.param) : -1;
      const position = known >= 0 ? known + 1 : keys.push(part.param);
      return dialect.placeholder(position, part.type);
    })
    .join("");
  return { name: source.name, text: qualify(text.replace(/\s+/g, " ").trim(), naming), keys };
}
