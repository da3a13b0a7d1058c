/** What the app's work costs its database. */
import { watchDriver } from "./database.ts";

export interface Counts {
  readonly statements: number;
  /** Calls of the driver: on a server, each waits for an answer. */
  readonly roundTrips: number;
  /** Transactions that changed something and were committed, be they of one statement. */
  readonly commits: number;
}

/** Looks until an answer must have come; to a call that failed none comes. */
const TURNS = 100;

/** Counts what all apps of this process do while `body` runs. */
export async function count(body: () => Promise<void>): Promise<Counts> {
  const counts = { statements: 0, roundTrips: 0, commits: 0 };
  const changed = new WeakSet<object>();
  /** Connections whose answers are awaited. */
  const asking = new Set<object>();
  let isOver = false;
  const stop = watchDriver({
    before({ connection }) {
      if (!isOver) asking.add(connection);
    },
    after({ connection, text }, effect) {
      if (!asking.delete(connection) && isOver) return;
      counts.roundTrips++;
      counts.statements += effect.statements;
      if (effect.changed) changed.add(connection);
      if (effect.open) return;
      if (changed.has(connection) && !ROLLBACK.test(text)) counts.commits++;
      changed.delete(connection);
    },
  });
  try {
    await body();
    isOver = true;
    // Another connection may have seen the outcome of a commit before the commit had its answer.
    for (let turn = 0; asking.size > 0 && turn < TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  } finally {
    stop();
  }
  return counts;
}

const ROLLBACK = /^\s*rollback\s*$/i;

/** The commits among them. */
export async function countCommits(body: () => Promise<void>): Promise<number> {
  return (await count(body)).commits;
}
