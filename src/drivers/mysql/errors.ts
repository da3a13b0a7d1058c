/** What the errors of MySQL, MariaDB and the network mean. */
import { isOutside } from "../outside.ts";

/** Larger than `max_allowed_packet`. */
export const TOO_LARGE = 1153;

/**
 * Numbers of errors that blame a statement's values or rows; all others are the server's state, which may pass
 * (https://dev.mysql.com/doc/mysql-errors/en/server-error-reference.html).
 */
const FAULTS: ReadonlySet<number> = new Set([
  1048, // null where none may be
  1062, // duplicate
  TOO_LARGE,
  1242, // more than one row
  1264, // out of range
  1265, // truncated
  1292, // wrong value
  1364, // no default
  1366, // wrong text
  1406, // too long
  1451, // foreign key
  1452, // the same
  1644, // signalled by a trigger
  1690, // out of range, which a batch that does not apply provokes
  3140, // wrong JSON
  3819, // check constraint
  4025, // check constraint (MariaDB)
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

/** Whether the same statement may succeed later: neither is it to blame, nor is it a mistake of ours. */
export function isTransient(error: unknown): boolean {
  return isOutside(error) && !FAULTS.has(numberOf(error));
}

/** Whether the transaction was undone because it and another waited for each other. */
export function isDeadlock(error: unknown): boolean {
  return numberOf(error) === 1213;
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
