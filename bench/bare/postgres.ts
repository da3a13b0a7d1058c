/** One statement, and so one transaction, for each step of a batch; its rows come as arrays. */
import { Client } from "pg";
import { type BareLoop, inBatches, schema, WORKER } from "./rows.ts";

const INSERT = `insert into romancy_instances
  (id, workflow, status, input, root_id, priority, worker_id, epoch, created_at, updated_at)
  select id, 'three', 'running', input, id, 0, '${WORKER}', 1, at, at
  from unnest($1::text[], $2::text[], $3::bigint[]) as r(id, input, at) on conflict do nothing`;

const APPEND = `insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
  select i.id, r.seq, 'activity_completed', r.operation_id, r.data, r.at
  from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[]) as r(id, data, at, seq, operation_id)
  join romancy_instances i on i.id = r.id and i.epoch = 1`;

const FINISH = `with finished as (
    update romancy_instances i
    set status = 'completed', output = r.data, worker_id = null, wake_at = null, updated_at = r.at, completed_at = r.at
    from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[]) as r(id, data, at, seq, operation_id)
    where i.id = r.id and i.epoch = 1 returning i.id, r.seq, r.operation_id, r.data, r.at)
  insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
  select id, seq, 'activity_completed', operation_id, data, at from finished`;

export const barePostgres: BareLoop = async (url, instances, batch) => {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(schema("postgres"));
  // The server keeps the plans that it makes while the tables are small, and reads them whole with those: none of that.
  await client.query("set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off");
  const seconds = await inBatches(instances, batch, async (step, ids, now) => {
    const column = (value: number | string): string => `{${ids.map(() => value).join(",")}}`;
    const rows = [`{${ids.join(",")}}`, column(step === 0 ? '"[1]"' : step + 1), column(now)];
    if (step === 0) await client.query({ name: "insert", text: INSERT, values: rows });
    else {
      const [name, text] = step === 3 ? ["finish", FINISH] : ["append", APPEND];
      await client.query({ name, text, values: [...rows, column(step), column(`step:${step}`)] });
    }
  });
  await client.end();
  return seconds;
};
