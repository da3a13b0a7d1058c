/**
 * Drizzle. For `node:sqlite` it has no driver of its own (as of 0.45): its proxy driver runs statements through a
 * function.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { drizzle as drizzleMysql } from "drizzle-orm/mysql2";
import { mysqlTable, varchar as mysqlVarchar } from "drizzle-orm/mysql-core";
import { drizzle as drizzlePostgres } from "drizzle-orm/node-postgres";
import { pgTable, varchar } from "drizzle-orm/pg-core";
import { sqliteTable, text } from "drizzle-orm/sqlite-core";
import { drizzle as drizzleProxy } from "drizzle-orm/sqlite-proxy";
import type { Connection } from "mysql2/promise";
import type { PoolClient } from "pg";
import { dialectName } from "../../support/database.ts";
import type { Builder, Payments } from "./builder.ts";

export const drizzle: Builder = { name: "Drizzle", on: { sqlite, postgres, mysql }[dialectName] };

function postgres(client: unknown): Payments {
  const payments = pgTable("payments", { orderId: varchar("order_id").primaryKey() });
  const db = drizzlePostgres(client as PoolClient);
  return {
    insert: async (orderId) => void (await db.insert(payments).values({ orderId })),
    orderIds: async () => idsOf(await db.select().from(payments).orderBy(payments.orderId)),
    insertInTransaction: (orderId) =>
      db.transaction(async (transaction) => void (await transaction.insert(payments).values({ orderId }))),
    destroy: async () => db.$client.release(),
  };
}

function mysql(client: unknown): Payments {
  const payments = mysqlTable("payments", { orderId: mysqlVarchar("order_id", { length: 50 }).primaryKey() });
  // The types know pools and connections with callbacks only, the code knows those with promises.
  const db = drizzleMysql({ client: client as Connection });
  return {
    insert: async (orderId) => void (await db.insert(payments).values({ orderId })),
    orderIds: async () => idsOf(await db.select().from(payments).orderBy(payments.orderId)),
    async *stream() {
      yield* idsIn(await db.select().from(payments).orderBy(payments.orderId).iterator());
    },
    insertInTransaction: (orderId) =>
      db.transaction(async (transaction) => void (await transaction.insert(payments).values({ orderId }))),
    destroy: async () => db.$client.end(),
  };
}

function sqlite(client: unknown): Payments {
  const payments = sqliteTable("payments", { orderId: text("order_id").primaryKey() });
  const db = drizzleProxy(async (sql, params: SQLInputValue[], method) => {
    const statement = (client as DatabaseSync).prepare(sql);
    if (method === "run") return { rows: [statement.run(...params)] };
    const rows = statement.all(...params).map((row) => Object.values(row));
    return { rows: method === "get" ? (rows[0] ?? []) : rows };
  });
  return {
    insert: async (orderId) => void (await db.insert(payments).values({ orderId })),
    orderIds: async () => idsOf(await db.select().from(payments).orderBy(payments.orderId)),
    insertInTransaction: (orderId) =>
      db.transaction(async (transaction) => void (await transaction.insert(payments).values({ orderId }))),
    destroy: async () => (client as DatabaseSync).close(),
  };
}

function idsOf(rows: readonly { orderId: string }[]): string[] {
  return rows.map(({ orderId }) => orderId);
}

async function* idsIn(rows: AsyncIterable<{ orderId: string }>): AsyncIterable<string> {
  for await (const { orderId } of rows) yield orderId;
}
