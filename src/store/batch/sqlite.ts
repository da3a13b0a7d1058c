/**
 * A batch in one transaction on SQLite. What most changes write is written in statements of many rows, each of which
 * costs half of what its rows would cost apart. It is all or nothing: when a row of them does not apply, or two changes
 * are of one instance, the batch is applied change by change, and each tells what stands in its way.
 */
import type { Advance, Change, ChangeResult, Create } from "../../core/commit.ts";
import type { HistoryEvent } from "../../core/history.ts";
import { type Database, type Immediate, isImmediate, type Transaction } from "../database.ts";
import { qualify } from "../naming.ts";
import { eventRow, newRow, patchRow } from "../rows.ts";
import type { Runner } from "../runner.ts";
import type { SqlValue } from "../sql.ts";
import type { Compiled } from "../statement.ts";
import { inTransaction } from "../transaction.ts";
import { applyEach } from "./each.ts";
import { isWriteOnly } from "./writes.ts";

/** A statement that writes many rows. */
interface Form<Item> {
  readonly name: string;
  /** How many values a row has. */
  readonly width: number;
  /** @param rows a list of rows of placeholders */
  readonly text: (rows: string) => string;
  /** The values of a row. */
  readonly bind: (item: Item) => readonly SqlValue[];
}

/** Rows of one statement. More would not be cheaper; what is left over goes by fewer. */
const SIZES = [16, 4, 1] as const;

interface Append {
  readonly instanceId: string;
  readonly epoch: number;
  readonly event: HistoryEvent;
}

const creates: Form<Create> = {
  name: "creates",
  width: 14,
  text: (rows) => `insert into romancy_instances
    (id, workflow, status, input, root_id, tags, priority, version, trace_context, wake_at, worker_id, epoch,
     created_at, updated_at)
    values ${rows} on conflict do nothing`,
  bind: ({ instance }) => {
    const { id, workflow, status, input, tags, priority, version, traceContext, workerId, ...row } = newRow(instance);
    const { wakeAt, epoch, at } = row;
    return [id, workflow, status, input, id, tags, priority, version, traceContext, wakeAt, workerId, epoch, at, at];
  },
};

/** Only where the epoch is the committer's (invariant 2). */
const appends: Form<Append> = {
  name: "appends",
  width: 7,
  text: (rows) => `insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
    select i.id, e.column3, e.column4, e.column5, e.column6, e.column7
    from (values ${rows}) e cross join romancy_instances i where i.id = e.column1 and i.epoch = e.column2`,
  bind: ({ instanceId, epoch, event }) => {
    const { seq, kind, operationId, data, at } = eventRow(instanceId, event);
    return [instanceId, epoch, seq, kind, operationId, data, at];
  },
};

/** Ends of instances: see `finishInstance`. */
const ends: Form<Advance> = {
  name: "ends",
  width: 8,
  text: (rows) => `update romancy_instances as i
    set status = e.column3, output = coalesce(e.column4, output), error = e.column5, compensation_errors = e.column6,
        worker_id = null, wake_at = null, updated_at = e.column7, completed_at = e.column7, recoveries = 0
    from (values ${rows}) e
    where i.id = e.column1 and i.epoch = e.column2 and i.completed_at is null
      and (i.cancel_requested_at is null or e.column8 = 1)`,
  bind: (advance) =>
    patchRow(advance).flatMap(({ id, epoch, status, output, error, compensationErrors, at, knowsOfCancel }) => [
      id,
      epoch,
      status,
      output,
      error,
      compensationErrors,
      at,
      knowsOfCancel,
    ]),
};

/** Some row has not applied. */
class Shortfall extends Error {}

export class SqliteBatch {
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #compiled = new Map<string, Compiled>();

  constructor(database: Database, runner: Runner) {
    this.#database = database;
    this.#runner = runner;
  }

  async apply(changes: readonly Change[]): Promise<ChangeResult[]> {
    if (changes.length > 1) {
      try {
        return await inTransaction(this.#database, (transaction) => this.#applyTogether(transaction, changes));
      } catch (error) {
        if (!(error instanceof Shortfall)) throw error;
      }
    }
    return inTransaction(this.#database, (transaction) => applyEach(transaction, this.#runner, changes));
  }

  async #applyTogether(transaction: Transaction, changes: readonly Change[]): Promise<ChangeResult[]> {
    const together = new Set<Change>(isImmediate(transaction) ? this.#writeSimple(transaction, changes) : []);
    const others = changes.filter((change) => !together.has(change));
    const results = await applyEach(transaction, this.#runner, others);
    return changes.map((change) => (together.has(change) ? { type: "applied" } : (results.shift() as ChangeResult)));
  }

  /** Gives those that are written. */
  #writeSimple(connection: Immediate, changes: readonly Change[]): readonly Change[] {
    const simple = changes.filter(isSimple);
    const advances = simple.filter((change) => change.type === "advance");
    const events = advances.flatMap(({ instanceId, epoch, events }) =>
      events.map((event): Append => ({ instanceId, epoch, event })),
    );
    this.#write(
      connection,
      ends,
      advances.filter(({ patch }) => patch !== undefined),
    );
    this.#write(connection, appends, events);
    this.#write(
      connection,
      creates,
      simple.filter((change) => change.type === "create"),
    );
    return simple;
  }

  #write<Item>(connection: Immediate, form: Form<Item>, items: readonly Item[]): void {
    let next = 0;
    for (const size of SIZES) {
      for (; next + size <= items.length; next += size) {
        const values = items.slice(next, next + size).flatMap(form.bind);
        if (connection.runNow(this.#compile(form, size), values) !== size) throw new Shortfall();
      }
    }
  }

  #compile<Item>({ name, width, text }: Form<Item>, size: number): Compiled {
    const key = `${name} ${size}`;
    let compiled = this.#compiled.get(key);
    if (!compiled) {
      const row = `(${Array(width).fill("?").join(", ")})`;
      const rows = Array(size).fill(row).join(", ");
      compiled = { name: key, text: qualify(text(rows), this.#database.naming), keys: [], isPrepared: false };
      this.#compiled.set(key, compiled);
    }
    return compiled;
  }
}

/** Whether it is a creation, or an advance that adds to history and ends the instance or lets it go on, and no more. */
function isSimple(change: Change): change is Create | Advance {
  if (!isWriteOnly(change) || (change.subscriptions ?? []).length > 0) return false;
  if (change.type === "create") return true;
  const { reads = [], clears, patch } = change;
  if (reads.length > 0 || clears) return false;
  return patch === undefined || patch.event === "complete" || patch.event === "fail" || patch.event === "cancel";
}
