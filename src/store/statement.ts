import type { Dialect } from "./dialect.ts";
import { type Naming, qualify } from "./naming.ts";
import type { Sql } from "./sql.ts";

/** A statement, written once for all databases. `Name` are its parameters, `Row` what it returns, if anything. */
export interface Statement<Name extends string, Row = never> {
  readonly name: string;
  readonly build: (dialect: Dialect) => Sql<Name>;
  /** Whether it is worth it that the server keeps its plan. */
  readonly isPrepared: boolean;
  /** Carries the row's type only. */
  readonly row?: Row;
}

/** Defines a statement. */
export function statement<Name extends string, Row = never>(
  name: string,
  build: (dialect: Dialect) => Sql<NoInfer<Name>>,
  isPrepared = false,
): Statement<Name, Row> {
  return { name, build, isPrepared };
}

/** A statement in the words of one database. */
export interface Compiled {
  readonly name: string;
  readonly text: string;
  /** Names in the order of binding. */
  readonly keys: readonly string[];
  readonly isPrepared: boolean;
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
  const { name, isPrepared } = source;
  return { name, text: qualify(text.replace(/\s+/g, " ").trim(), naming), keys, isPrepared };
}
