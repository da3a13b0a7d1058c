/**
 * The outbox on any SQL database.
 *
 * 1. An event is claimed only when nothing of its instance comes before it that is not settled, or the same worker's.
 * 2. What comes before it later is put off until then, so that it is not found again and again: until its predecessor's
 *    next try, or for a moment when that is being sent. Who settles an instance's last event makes the next one due.
 * 3. Whose token is no more the event's changes nothing (invariant 2).
 */
import type { MessageAttributes } from "../core/history.ts";
import type { Database } from "./database.ts";
import type { ClaimedEvent, OutboxListFilter, OutboxRecord, OutboxRetry, Settlement, StoredOutbox } from "./outbox.ts";
import { retrying, retryTransient } from "./retry-transient.ts";
import type { Queries, Runner } from "./runner.ts";
import * as outbox from "./statements/outbox.ts";
import { inTransaction } from "./transaction.ts";

/** Milliseconds for which an event is put off whose predecessor is being sent: the most that a lost call for it costs. */
const PUT_OFF = 1_000;

/** The same when the predecessor is about to be claimed. */
const PUT_OFF_BRIEFLY = 20;

/** Events that are retried, and removed, in one go. */
const AT_ONCE = 1_000;

export class SqlOutbox implements StoredOutbox {
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #reader: Queries;
  readonly #viewer: Queries;
  readonly #writer: Queries;

  constructor(database: Database, runner: Runner) {
    this.#database = database;
    this.#runner = runner;
    this.#reader = retrying(database, runner.on(database.reader));
    this.#viewer = retrying(database, runner.on(database.viewer));
    this.#writer = retrying(database, runner.on(database.writer));
  }

  claim(workerId: string, token: string, limit: number, held: ReadonlySet<number>): Promise<readonly ClaimedEvent[]> {
    // Not tried again here: when the answer is lost, the events are the worker's by this token.
    return this.#transact(async (queries) => {
      const due = (await queries.all(outbox.lockDueEvents, { limit })).toSorted((a, b) => a.position - b.position);
      const { free, blocked } = inOrder(due, held);
      if (free.length > 0) await queries.run(outbox.claimEvents, { workerId, token, positions: positionsOf(free) });
      if (blocked.length > 0) await postpone(queries, blocked);
      return free.map((row) => claimedOf(row, token));
    });
  }

  async free(workerId: string, token: string): Promise<void> {
    await this.#writer.run(outbox.freeEventsOf, { workerId, token });
  }

  settle(settlements: readonly Settlement[]): Promise<void> {
    return retryTransient(this.#database, () => this.#transact((queries) => settle(queries, settlements)));
  }

  async nextDue(): Promise<number | undefined> {
    const [row] = await this.#reader.all(outbox.nextDueEvent, {});
    return row?.next_at;
  }

  async list(filter: OutboxListFilter): Promise<OutboxRecord[]> {
    return (await this.#rows(filter)).map(recordOf);
  }

  async retry(which: OutboxRetry): Promise<number> {
    let count = 0;
    let after = 0;
    for (;;) {
      const rows = await this.#reader.all(outbox.retriable, { ...which, after, limit: AT_ONCE });
      const positions = positionsOf(rows);
      if (positions.length > 0) count += await this.#writer.run(outbox.retryEvents, { positions });
      if (rows.length < AT_ONCE) return count;
      after = rows.at(-1)?.position ?? after;
    }
  }

  async forget(before: number): Promise<boolean> {
    const limit = AT_ONCE;
    return (await this.#writer.run(outbox.forgetPublished, { before, limit })) === limit;
  }

  #rows({ status, instanceId, ...page }: OutboxListFilter): Promise<outbox.EventRow[]> {
    if (instanceId !== undefined) {
      return status === undefined
        ? this.#viewer.all(outbox.listEventsOf, { ...page, instanceId })
        : this.#viewer.all(outbox.listEventsOfByStatus, { ...page, instanceId, status });
    }
    if (status === undefined) return this.#viewer.all(outbox.listEvents, page);
    const byStatus = status === "published" ? outbox.listEventsByStatus : outbox.listOpenEvents;
    return this.#viewer.all(byStatus, { ...page, status });
  }

  #transact<T>(body: (queries: Queries) => Promise<T>): Promise<T> {
    return inTransaction(this.#database, (transaction) => body(this.#runner.on(transaction)));
  }
}

/** Which of the rows, in order, can be claimed (1). */
function inOrder(
  due: readonly outbox.DueRow[],
  held: ReadonlySet<number>,
): { free: outbox.DueRow[]; blocked: outbox.DueRow[] } {
  const free: outbox.DueRow[] = [];
  const blocked: outbox.DueRow[] = [];
  const ours = new Set(held);
  for (const row of due) {
    if (row.before === null || ours.has(row.before)) {
      free.push(row);
      ours.add(row.position);
    } else {
      blocked.push(row);
    }
  }
  return { free, blocked };
}

/** Puts off what is behind others (2). The rows are locked, and in order. */
async function postpone(queries: Queries, blocked: readonly outbox.DueRow[]): Promise<void> {
  const before = blocked.map((row) => String(row.before));
  const standings = await queries.all(outbox.standingsAt, { positions: before });
  const times = new Map(standings.map((row) => [row.position, row]));
  const until = new Map<number, number>();
  const groups = new Map<number, string[]>();
  for (const { position, before, now } of blocked) {
    const standing = times.get(before as number);
    const wait = standing && standing.claimed_by === null ? PUT_OFF_BRIEFLY : PUT_OFF;
    const next = until.get(before as number) ?? standing?.next_at ?? now;
    const at = next > now ? next : now + wait;
    until.set(position, at);
    groups.set(at, [...(groups.get(at) ?? []), String(position)]);
  }
  for (const [nextAt, positions] of groups) await queries.run(outbox.postponeEvents, { positions, nextAt });
}

async function settle(queries: Queries, settlements: readonly Settlement[]): Promise<void> {
  const published = new Map<string, string[]>();
  const released = new Map<string, { token: string; delay: number; positions: string[] }>();
  const unsettled = new Set<string>();
  for (const settlement of settlements) {
    const { token, instanceId } = settlement;
    const position = String(settlement.position);
    if (settlement.type === "published") {
      published.set(token, [...(published.get(token) ?? []), position]);
    } else if (settlement.type === "released") {
      const { delay } = settlement;
      const key = `${delay} ${token}`;
      const { positions } = released.get(key) ?? { positions: [] };
      released.set(key, { token, delay, positions: [...positions, position] });
      unsettled.add(instanceId);
    } else {
      const { status, attempts, error, delay } = settlement;
      await queries.run(outbox.failEvent, { token, positions: [position], status, attempts, error, delay });
      if (status === "pending") unsettled.add(instanceId);
    }
  }
  for (const [token, positions] of published) await queries.run(outbox.publishEvents, { token, positions });
  for (const params of released.values()) await queries.run(outbox.releaseEvents, params);
  const instances = new Set(settlements.map(({ instanceId }) => instanceId).filter((id) => !unsettled.has(id)));
  if (instances.size > 0) await queries.run(outbox.wakeEvents, { instances: [...instances] });
}

function positionsOf(rows: readonly { readonly position: number }[]): string[] {
  return rows.map(({ position }) => String(position));
}

function claimedOf(row: outbox.DueRow, token: string): ClaimedEvent {
  return {
    position: row.position,
    instanceId: row.instance_id,
    attributes: JSON.parse(row.attributes) as MessageAttributes,
    body: row.body,
    isBinary: row.is_binary === 1,
    attempts: row.attempts,
    age: row.now - row.queued_at,
    token,
  };
}

function recordOf(row: outbox.EventRow): OutboxRecord {
  return {
    position: row.position,
    id: row.id,
    instanceId: row.instance_id,
    attributes: JSON.parse(row.attributes) as MessageAttributes,
    body: row.body,
    isBinary: row.is_binary === 1,
    status: row.status,
    attempts: row.attempts,
    nextAt: row.next_at,
    createdAt: row.created_at,
    publishedAt: row.published_at,
    lastError: row.last_error,
  };
}
