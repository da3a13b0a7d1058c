import { DatabaseSync, StatementSync } from "node:sqlite";
import { outsiders, type Watcher } from "./watch.ts";

const { prepare, exec } = DatabaseSync.prototype;
const { all, get, run } = StatementSync.prototype;

/** Whose a statement is, which it does not tell. Noted from the beginning, since drivers keep their statements. */
const owners = new WeakMap<StatementSync, DatabaseSync>();

DatabaseSync.prototype.prepare = function prepareNoted(this: DatabaseSync, ...args) {
  const statement = prepare.apply(this, args);
  owners.set(statement, this);
  return statement;
};

export function watchSqlite(watcher: Watcher): () => void {
  const watched = <T>(connection: DatabaseSync | undefined, text: string, work: () => T): T => {
    if (!connection || outsiders.has(connection)) return work();
    const call = { connection, text };
    watcher.before?.(call);
    const before = totalChanges(connection);
    const result = work();
    const changed = totalChanges(connection) !== before;
    watcher.after?.(call, { statements: 1, changed, open: connection.isTransaction });
    return result;
  };
  DatabaseSync.prototype.exec = function execWatched(this: DatabaseSync, sql) {
    watched(this, sql, () => exec.call(this, sql));
  };
  // They take their arguments in several forms.
  const methods = { all, get, run } as unknown as Record<string, (this: StatementSync, ...args: unknown[]) => unknown>;
  const statements = StatementSync.prototype as unknown as typeof methods;
  for (const [name, method] of Object.entries(methods)) {
    statements[name] = function callWatched(...args) {
      return watched(owners.get(this), this.sourceSQL, () => method.apply(this, args));
    };
  }
  return () => {
    DatabaseSync.prototype.exec = exec;
    Object.assign(statements, methods);
  };
}

function totalChanges(database: DatabaseSync): number {
  const row: unknown = Reflect.apply(get, prepare.call(database, "select total_changes() as n"), []);
  return (row as { n: number }).n;
}
