/** The same rows with no engine: what `node:sqlite` itself can do on this machine in this run. */
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/**
 * Writes instances of three activities each, in lock-step batches.
 *
 * @returns activities per second
 */
export function bareLoop(file: string, instances: number, batch: number): number {
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = wal; pragma synchronous = full");
  const migration = new URL("../migrations/sqlite/20261121000000_engine.sql", import.meta.url);
  database.exec(readFileSync(migration, "utf8").split("-- migrate:down")[0] ?? "");
  const insert = database.prepare(`insert into romancy_instances
    (id, workflow, status, input, root_id, priority, worker_id, epoch, created_at, updated_at)
    values (?, 'three', 'running', ?, ?, 0, '7c7bd8d4-6ddc-4c77-98c8-2a6b6a1f4ab0', 1, ?, ?) on conflict do nothing`);
  const append = database.prepare(`insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
    select id, ?, 'activity_completed', ?, ?, ? from romancy_instances where id = ? and epoch = 1`);
  const finish = database.prepare(`update romancy_instances
    set status = 'completed', output = ?, worker_id = null, wake_at = null, updated_at = ?, completed_at = ?
    where id = ? and epoch = 1`);
  const transaction = (ids: readonly string[], write: (id: string) => void): void => {
    database.exec("begin immediate");
    for (const id of ids) write(id);
    database.exec("commit");
  };
  const begun = performance.now();
  for (let first = 0; first < instances; first += batch) {
    const ids = Array.from({ length: Math.min(batch, instances - first) }, (_, n) => idOf(first + n));
    const now = Date.now();
    transaction(ids, (id) => insert.run(id, "[1]", id, now, now));
    for (const seq of [1, 2]) transaction(ids, (id) => append.run(seq, `step:${seq}`, "2", now, id));
    transaction(ids, (id) => {
      finish.run("4", now, now, id);
      append.run(3, "step:3", "4", now, id);
    });
  }
  const seconds = (performance.now() - begun) / 1_000;
  database.close();
  return (instances * 3) / seconds;
}

function idOf(n: number): string {
  const tail = ((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(12, "0");
  return `019abcde-${(n >> 12).toString(16).padStart(4, "0")}-7${(n & 0xfff).toString(16).padStart(3, "0")}-8000-${tail}`;
}
