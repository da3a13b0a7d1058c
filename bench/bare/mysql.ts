/** One transaction in one round trip for each step of a batch, of an insert and an update of many rows. */
import mysql from "mysql2/promise";
import { mysqlUrl } from "../databases.ts";
import { type BareLoop, inBatches, schema, WORKER } from "./rows.ts";

const INSERT = `insert into romancy_instances
  (id, workflow, status, input, root_id, priority, worker_id, epoch, created_at, updated_at) values`;

const APPEND = "insert into romancy_history (instance_id, seq, kind, operation_id, data, at) values";

export const bareMysql: BareLoop = async (url, instances, batch) => {
  const connection = await mysql.createConnection({ uri: mysqlUrl(url), multipleStatements: true });
  await connection.query(schema("mysql"));
  await connection.query("set session transaction isolation level read committed");
  const seconds = await inBatches(instances, batch, async (step, ids, now) => {
    const statements =
      step === 0
        ? [
            list(
              INSERT,
              ids.map((id) => [id, "three", "running", "[1]", id, 0, WORKER, 1, now, now]),
            ),
          ]
        : [
            list(
              APPEND,
              ids.map((id) => [id, step, "activity_completed", `step:${step}`, `${step + 1}`, now]),
            ),
          ];
    if (step === 3) statements.push(finish(ids, now));
    const sql = ["start transaction", ...statements.map(({ text }) => text), "commit"].join("; ");
    await connection.query({ sql, values: statements.flatMap(({ values }) => values) });
  });
  await connection.end();
  return seconds;
};

type Value = string | number;

interface Text {
  readonly text: string;
  readonly values: readonly Value[];
}

function list(before: string, rows: readonly (readonly Value[])[]): Text {
  const tuple = `(${rows[0]?.map(() => "?").join(", ")})`;
  return { text: `${before} ${rows.map(() => tuple).join(", ")}`, values: rows.flat() };
}

function finish(ids: readonly string[], now: number): Text {
  const rows = ids.map((_, index) => (index === 0 ? "select ? as id, ? as output, ? as at" : "select ?, ?, ?"));
  return {
    text: `update (${rows.join(" union all ")}) r straight_join romancy_instances i on i.id = r.id and i.epoch = 1
      set i.status = 'completed', i.output = r.output, i.worker_id = null, i.wake_at = null, i.updated_at = r.at,
          i.completed_at = r.at`,
    values: ids.flatMap((id) => [id, "4", now]),
  };
}
