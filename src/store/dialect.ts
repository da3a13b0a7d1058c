import type { Param, Sql } from "./sql.ts";

/** All that differs between databases in the text of statements. */
export interface Dialect {
  readonly name: "sqlite" | "postgres" | "mysql";
  /** The placeholder of the parameter at that position, counted from 1. */
  placeholder(position: number): string;
  /** Whether one placeholder may stand in several places. */
  readonly reusesParameters: boolean;
  /** The database's clock in epoch milliseconds. */
  readonly now: string;
  /** Ends a select whose rows are to be locked, leaving out those that others hold. */
  readonly skipLocked: string;
  /** `insert` that does nothing when the key exists: the words before `into` and at the end. */
  readonly insertIgnore: { readonly before: string; readonly after: string };
  /** A select that gives a row when the table exists. */
  readonly tableExists: Sql<"table">;
  /** Whether a column is one of the members of a parameter that holds a JSON list of texts. */
  isOneOf<Name extends string>(column: string, list: Param<Name>): Sql<Name>;
}
