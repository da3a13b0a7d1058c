import { DatabaseSync } from "node:sqlite";

/** Counts the transactions of this process that changed something, while `body` runs. */
export async function countCommits(body: () => Promise<void>): Promise<number> {
  const original = DatabaseSync.prototype.exec;
  let commits = 0;
  const changes = new WeakMap<DatabaseSync, number>();
  DatabaseSync.prototype.exec = function exec(this: DatabaseSync, sql: string): void {
    if (sql === "begin immediate") changes.set(this, totalChanges(this));
    if (sql === "commit" && totalChanges(this) !== changes.get(this)) commits++;
    original.call(this, sql);
  };
  try {
    await body();
  } finally {
    DatabaseSync.prototype.exec = original;
  }
  return commits;
}

function totalChanges(database: DatabaseSync): number {
  return Number(database.prepare("select total_changes() as n").get()?.["n"]);
}
