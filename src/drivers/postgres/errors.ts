/** What PostgreSQL's and the network's errors mean. */

/** Classes of SQLSTATE that are the server's state (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const TRANSIENT_CLASSES: ReadonlySet<string> = new Set([
  "08", // connection
  "25", // a transaction that is not what it should be: read-only after a failover, timed out
  "40", // transaction rollback: serialization, deadlock
  "53", // insufficient resources: disk full, too many connections
  "55", // object not in prerequisite state: lock not available
  "57", // operator intervention: shutdown, crash, canceled
  "58", // system error
]);

const LOST_CLASSES: ReadonlySet<string> = new Set(["08", "25", "57"]);

/** What `pg` says of a connection that is no more, which carries no code. */
const LOST =
  /^(Connection terminated|Client (has encountered a connection error|was closed)|Query read timeout|timeout)/;

/** A prepared statement does not exist, or exists already: a pooler has given us another server's connection. */
const PLAN_CODES: ReadonlySet<string> = new Set(["26000", "42P05"]);

/** Whether the same statement may succeed later. */
export function isTransient(error: unknown): boolean {
  return isConnectionLost(error) || TRANSIENT_CLASSES.has(classOf(error)) || isPlanMissing(error);
}

/** Whether prepared statements do not last here. */
export function isPlanMissing(error: unknown): boolean {
  return PLAN_CODES.has(codeOf(error));
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
