import type { Dialect } from "./dialect.ts";

/** What can be bound to a parameter. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** A named parameter inside a statement. */
export interface Param<Name extends string> {
  readonly param: Name;
}

/** SQL text with named parameters. */
export interface Sql<Name extends string> {
  readonly parts: readonly (string | Param<Name>)[];
}

type NamesOf<Value> = Value extends Param<infer Name> ? Name : Value extends Sql<infer Name> ? Name : never;

/** A parameter: `${$("id")}` inside `sql`. */
export function $<const Name extends string>(param: Name): Param<Name> {
  return { param };
}

/** SQL with parameters and, as plain text, what differs between databases. Never put a user's text into it. */
export function sql<const Values extends readonly (string | Param<string> | Sql<string>)[]>(
  strings: TemplateStringsArray,
  ...values: Values
): Sql<NamesOf<Values[number]>> {
  const parts: (string | Param<NamesOf<Values[number]>>)[] = [];
  strings.forEach((text, index) => {
    parts.push(text);
    const value = values[index] as string | Param<NamesOf<Values[number]>> | Sql<NamesOf<Values[number]>> | undefined;
    if (value === undefined) return;
    if (typeof value === "object" && "parts" in value) parts.push(...value.parts);
    else parts.push(value);
  });
  return { parts };
}

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

export function compile(source: Statement<string, unknown>, dialect: Dialect): Compiled {
  const keys: string[] = [];
  const text = source
    .build(dialect)
    .parts.map((part) => {
      if (typeof part === "string") return part;
      const known = dialect.reusesParameters ? keys.indexOf(part.param) : -1;
      const position = known >= 0 ? known + 1 : keys.push(part.param);
      return dialect.placeholder(position);
    })
    .join("");
  return { name: source.name, text: text.replace(/\s+/g, " ").trim(), keys };
}
