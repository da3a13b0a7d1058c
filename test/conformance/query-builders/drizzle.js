/**
 * Drizzle. For `node:sqlite` it has no driver of its own (as of 0.45): its proxy driver runs statements through a
 * function.
 */

import { mysqlTable, varchar as mysqlVarchar } from "drizzle-orm/mysql-core";
import { drizzle as drizzleMysql } from "drizzle-orm/mysql2";
import { drizzle as drizzlePostgres } from "drizzle-orm/node-postgres";
import { pgTable, varchar } from "drizzle-orm/pg-core";
import { sqliteTable, text } from "drizzle-orm/sqlite-core";
import { drizzle as drizzleProxy } from "drizzle-orm/sqlite-proxy";
import { dialectName } from "../../support/database.ts";

export const drizzle = {
  name: "Drizzle",
  streams: dialectName === "mysql",
  on: { sqlite, postgres, mysql }[dialectName],
};

function postgres(client) {
  const payments = pgTable("payments", { orderId: varchar("order_id").primaryKey() });
  const db = drizzlePostgres(client);
  return { ...paymentsOf(db, payments), destroy: async () => db.$client.release() };
}

function mysql(client) {
  const payments = mysqlTable("payments", { orderId: mysqlVarchar("order_id", { length: 50 }).primaryKey() });
  const db = drizzleMysql({ client });
  return {
    ...paymentsOf(db, payments),
    async *stream() {
      const rows = db.select().from(payments).orderBy(payments.orderId).iterator();
      for await (const { orderId } of rows) yield orderId;
    },
    destroy: () => db.$client.end(),
  };
}

function sqlite(client) {
  const payments = sqliteTable("payments", { orderId: text("order_id").primaryKey() });
  const db = drizzleProxy(async (sql, params, method) => {
    const statement = client.prepare(sql);
    if (method === "run") return { rows: [statement.run(...params)] };
    const rows = statement.all(...params).map((row) => Object.values(row));
    return { rows: method === "get" ? (rows[0] ?? []) : rows };
  });
  return { ...paymentsOf(db, payments), destroy: async () => client.close() };
}

function paymentsOf(db, payments) {
  return {
    insert: async (orderId) => void (await db.insert(payments).values({ orderId })),
    async orderIds() {
      const rows = await db.select().from(payments).orderBy(payments.orderId);
      return rows.map(({ orderId }) => orderId);
    },
    insertInTransaction: (orderId) =>
      db.transaction(async (transaction) => void (await transaction.insert(payments).values({ orderId }))),
  };
}
