import type { InstanceStatus } from "../core/status.ts";
import type { Bindable, Param, ParamType, Sql } from "./sql.ts";

/** A place in a column of JSON. */
interface JsonPlace {
  /** Steps `[1]` and `."name"` behind a `$`. */
  readonly path: Param<string>;
  /** The paths before each of its positions, as a JSON list: there are to be lists. */
  readonly lists: Param<string>;
}

/** All that differs between databases in the text of statements. */
export interface Dialect {
  readonly name: "sqlite" | "postgres" | "mysql";
  /** The placeholder of the parameter at that position, counted from 1. */
  placeholder(position: number, type: ParamType): string;
  /** Whether one placeholder may stand in several places. */
  readonly reusesParameters: boolean;
  /** Whether an `update` can give the rows that it changed. */
  readonly hasReturning: boolean;
  /** The database's clock in epoch milliseconds. */
  readonly now: string;
  /** Ends a select whose rows are to be locked, leaving out those that others hold. */
  readonly skipLocked: string;
  /** Ends a select whose rows nobody else may change until the transaction ends. */
  readonly lockRow: string;
  /** `insert` that does nothing when the key exists: the words before `into` and at the end. */
  readonly insertIgnore: { readonly before: string; readonly after: string };
  /** A select that gives a row when the table, named as statements name it, exists. */
  readonly tableExists: Sql<"table">;
  /** Whether a column is one of the members of a parameter that is a list. */
  isOneOf<Name extends string>(column: string, list: Param<Name>): Sql<Name>;
  /** The value that such a parameter is bound to. */
  bindList(list: readonly string[]): Bindable;
  /** What precedes each row but the first of a table that a statement brings along; see `batch/mysql.ts`. */
  readonly rowWord: string;
  /** Whether a text is part of a column; at least ASCII's letters are the same in upper and lower case. */
  containsText<Name extends string>(column: string, text: Param<Name>): Sql<Name>;
  /** Whether a column, a JSON object of texts or null, has all the members of a parameter that is such an object. */
  hasMembers<Name extends string>(column: string, members: Param<Name>): Sql<Name>;
  /**
   * Whether the value at a place of a column, which holds JSON, equals a text, number, boolean or null, given as JSON.
   * Numbers compare as numbers.
   */
  isJsonAt(column: string, place: JsonPlace, value: Param<string>): Sql<string>;
  /** Whether an instance is blocked, in words that an index serves. */
  readonly isBlocked: string;
  /** Whether an instance has the status, in words that the index of listed statuses serves: see `LISTED_STATUSES`. */
  isListedAs(status: InstanceStatus): string;
  /**
   * 1 when the lock named by the column is held by somebody, 0 when by nobody, null when the column is null or the
   * database knows no such locks.
   */
  isLockHeld(column: string): string;
}
