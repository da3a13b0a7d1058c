/** What can be bound to a parameter. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** The same, and a list of texts, for `isOneOf`. */
export type Bindable = SqlValue | readonly string[];

/** The type of a parameter, for databases that must be told. */
export type ParamType = "text" | "int" | "list";

/** A named parameter inside a statement. */
export interface Param<Name extends string> {
  readonly param: Name;
  readonly type: ParamType;
}

/** SQL text with named parameters. */
export interface Sql<Name extends string> {
  readonly parts: readonly (string | Param<Name>)[];
}

type NamesOf<Value> = Value extends Param<infer Name> ? Name : Value extends Sql<infer Name> ? Name : never;

/** A parameter that is a text: `${$("id")}` inside `sql`. */
export function $<const Name extends string>(param: Name): Param<Name> {
  return { param, type: "text" };
}

/** A parameter that is a whole number, of up to 53 bits. */
export function $int<const Name extends string>(param: Name): Param<Name> {
  return { param, type: "int" };
}

/** A parameter that is a list of texts, for `isOneOf`. */
export function $list<const Name extends string>(param: Name): Param<Name> {
  return { param, type: "list" };
}

/** The pieces one after another. */
export function joined<Name extends string>(pieces: readonly Sql<Name>[], separator: string): Sql<Name> {
  return { parts: pieces.flatMap(({ parts }, index) => (index === 0 ? parts : [separator, ...parts])) };
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
