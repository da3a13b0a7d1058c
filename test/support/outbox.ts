/** What tests see of events for brokers. */
import type { OutboxEntry, OutboxStatus, ReceivedEvent, Romancy } from "../../src/index.ts";
import { testDatabase } from "./apps.ts";
import { until } from "./wait.ts";

/** A publisher that keeps what it is given, in order. */
export function recorder(): {
  readonly publisher: (event: ReceivedEvent<unknown>) => void;
  readonly ids: () => string[];
} {
  const events: ReceivedEvent<unknown>[] = [];
  return { publisher: (event) => void events.push(event), ids: () => events.map(({ id }) => id) };
}

export async function entries(app: Romancy): Promise<readonly OutboxEntry[]> {
  return (await app.outbox.list({ limit: 1_000 })).events;
}

/** All events, when there are so many and none is to be sent any more. */
export async function settled(app: Romancy, count: number): Promise<readonly OutboxEntry[]> {
  await until(async () => {
    const all = await entries(app);
    return all.length >= count && all.every(({ status }) => status !== "pending");
  });
  return entries(app);
}

/** The statuses of all events, when none is to be sent any more. */
export async function statuses(app: Romancy, count: number): Promise<OutboxStatus[]> {
  return (await settled(app, count)).map(({ status }) => status);
}

/** How many events the database has. */
export async function countEvents(where = "1 = 1"): Promise<number> {
  const [row] = await testDatabase().rows(`select count(*) as n from romancy_outbox where ${where}`);
  return Number(row?.["n"]);
}
