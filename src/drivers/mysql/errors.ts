/** What the errors of MySQL, MariaDB and the network mean. */

/** Numbers of errors that are the server's state (https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html). */
const TRANSIENT: ReadonlySet<number> = new Set([
  1021, // disk full
  1040, // too many connections
  1114, // table full
  1180, // error during commit
  1205, // lock wait timeout
  1206, // lock table full
  1213, // deadlock
  1290, // read-only after a failover
  1836, // the same
]);

const LOST: ReadonlySet<number> = new Set([
  1053, // server shutdown in progress
  1152, // aborted connection
  1158, // network errors
  1159,
  1160,
  1161,
  1184, // aborted connection
  1290, // read-only after a failover: another connection may go to the new primary
  1317, // query interrupted
  1836, // read-only
  1927, // connection killed (MariaDB)
  3169, // session killed
  4031, // disconnected for being idle
]);

const LOST_CODES = /^(PROTOCOL_(CONNECTION_LOST|SEQUENCE_TIMEOUT)|E[A-Z]{4,})$/;

/** Whether the same statement may succeed later. */
export function isTransient(error: unknown): boolean {
  return isConnectionLost(error) || TRANSIENT.has(numberOf(error));
}

/** Whether the connection cannot be used any more. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isFatal = "fatal" in error && error.fatal === true;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return isFatal || LOST.has(numberOf(error)) || LOST_CODES.test(code);
}

function numberOf(error: unknown): number {
  return error instanceof Error && "errno" in error && typeof error.errno === "number" ? error.errno : 0;
}
