/** What the database holds: Romancy's record, through its own API, and the shop's table of stock. */
import { DatabaseSync } from "node:sqlite";
import { type InstanceDescription, Romancy } from "../../src/index.ts";
import type { Order } from "./order.ts";
import type { OrderResult } from "./workflow.ts";

/** One order as the database has it. */
export interface OrderRecord {
  readonly orderId: string;
  readonly status: InstanceDescription["status"];
  /** Ids of the activities whose outcome is recorded, a failure included. */
  readonly activities: readonly string[];
  readonly result: OrderResult | undefined;
  /** Why it failed, if it did. */
  readonly error: unknown;
}

export interface StockLevel {
  readonly sku: string;
  readonly initial: number;
  readonly available: number;
}

/** Everything recorded, read by a client that executes nothing. */
export async function readRecord(database: string): Promise<OrderRecord[]> {
  const app = new Romancy({ database, worker: false });
  await app.start();
  try {
    const records: OrderRecord[] = [];
    for await (const id of idsOf(app)) records.push(await readOrder(app, id));
    return records;
  } finally {
    await app.shutdown();
  }
}

async function* idsOf(app: Romancy): AsyncGenerator<string> {
  let pageToken: string | undefined;
  do {
    const page = await app.listInstances({ workflow: "order", limit: 1_000, ...(pageToken && { pageToken }) });
    yield* page.instances.map(({ id }) => id);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
}

async function readOrder(app: Romancy, orderId: string): Promise<OrderRecord> {
  const { status, output, error } = await app.getInstance(orderId);
  const activities = (await app.getHistory(orderId))
    .filter(({ kind }) => kind === "activity_completed" || kind === "activity_failed")
    .map(({ operationId }) => operationId);
  return { orderId, status, activities, result: output as OrderResult | undefined, error };
}

/** Creates the shop's own table, with more than enough of everything that is ordered. */
export function createStock(database: string, orders: readonly Order[]): void {
  const demand = new Map<string, number>();
  for (const { sku, quantity } of orders.flatMap(({ items }) => items)) {
    demand.set(sku, (demand.get(sku) ?? 0) + quantity);
  }
  const client = new DatabaseSync(database);
  client.exec("create table stock (sku text primary key, initial integer not null, available integer not null) strict");
  const insert = client.prepare("insert into stock values (?1, ?2, ?2)");
  for (const [sku, quantity] of demand) insert.run(sku, quantity + 20);
  client.close();
}

export function readStock(database: string): StockLevel[] {
  const client = new DatabaseSync(database, { readOnly: true });
  const rows = client.prepare("select sku, initial, available from stock order by sku").all();
  client.close();
  return rows as unknown as StockLevel[];
}
