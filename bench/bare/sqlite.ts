/** One transaction for each step of a batch, of one prepared statement for each row. */
import { DatabaseSync } from "node:sqlite";
import { type BareLoop, inBatches, schema, WORKER } from "./rows.ts";

export const bareSqlite: BareLoop = async (file, instances, batch) => {
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = wal; pragma synchronous = full");
  database.exec(schema("sqlite"));
  const insert = database.prepare(`insert into romancy_instances
    (id, workflow, status, input, root_id, priority, worker_id, epoch, created_at, updated_at)
    values (?, 'three', 'running', '[1]', ?, 0, '${WORKER}', 1, ?, ?) on conflict do nothing`);
  const append = database.prepare(`insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
    select id, ?, 'activity_completed', ?, '2', ? from romancy_instances where id = ? and epoch = 1`);
  const finish = database.prepare(`update romancy_instances
    set status = 'completed', output = '4', worker_id = null, wake_at = null, updated_at = ?, completed_at = ?
    where id = ? and epoch = 1`);
  const seconds = await inBatches(instances, batch, (step, ids, now) => {
    database.exec("begin immediate");
    for (const id of ids) {
      if (step === 0) insert.run(id, id, now, now);
      else append.run(step, `step:${step}`, now, id);
      if (step === 3) finish.run(now, now, id);
    }
    database.exec("commit");
  });
  database.close();
  return seconds;
};
