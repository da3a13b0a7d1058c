/** What PostgreSQL's and the network's errors mean. */
import { isOutside } from "../outside.ts";

/**
 * Classes of SQLSTATE that blame a statement's values or rows; all others are the database's state, which may pass
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const FAULT_CLASSES: ReadonlySet<string> = new Set([
  "09", // a trigger's action
  "21", // cardinality
  "22", // data
  "23", // integrity constraint
  "27", // triggered data change
  "38", // a routine outside
  "39", // the same
  "44", // with check option
  "54", // program limit
  "P0", // raised by PL/pgSQL
]);

const LOST_CLASSES: ReadonlySet<string> = new Set(["08", "25", "57"]);

/** What `pg` says of a connection that is no more, which carries no code. */
const LOST =
  /^(Connection terminated|Client (has encountered a connection error|was closed)|Query read timeout|timeout)/;

/** A prepared statement does not exist, or exists already: a pooler has given us another server's connection. */
const PLAN_CODES: ReadonlySet<string> = new Set(["26000", "42P05"]);

/** Whether the same statement may succeed later: neither is it to blame, nor is it a mistake of ours. */
export function isTransient(error: unknown): boolean {
  return isOutside(error) && !FAULT_CLASSES.has(classOf(error));
}

/** Whether the transaction was undone because it and another waited for each other. */
export function isDeadlock(error: unknown): boolean {
  return codeOf(error) === "40P01";
}

/** Whether prepared statements do not last here. */
export function isPlanMissing(error: unknown): boolean {
  return PLAN_CODES.has(codeOf(error));
}

/** Whether a statement of the transaction has failed before, so that it takes none any more. */
export function isTransactionFailed(error: unknown): boolean {
  return codeOf(error) === "25P02";
}

/** Whether the connection cannot be used any more. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return LOST.test(error.message) || LOST_CLASSES.has(classOf(error)) || /^E[A-Z_]{3,}$/.test(code);
}

function classOf(error: unknown): string {
  const code = codeOf(error);
  return /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]/.test(code) ? code.slice(0, 2) : "";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
