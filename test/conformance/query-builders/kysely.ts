/** Kysely, which asks for a pool: one whose only connection is the session's. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import {
  type Dialect,
  Kysely,
  MysqlDialect,
  type MysqlPool,
  PostgresDialect,
  type PostgresPool,
  SqliteDialect,
} from "kysely";
import type { Connection } from "mysql2/promise";
import type { PoolClient } from "pg";
import { dialectName } from "../../support/database.ts";
import type { Builder, Payments } from "./builder.ts";

interface Schema {
  payments: { order_id: string };
}

// On PostgreSQL streams need the package `pg-cursor`.
export const kysely: Builder = { name: "Kysely", streams: dialectName !== "postgres", on };

const dialectOn: (client: unknown) => Dialect = { sqlite, postgres, mysql }[dialectName];

function on(client: unknown): Payments {
  const db = new Kysely<Schema>({ dialect: dialectOn(client) });
  const sorted = db.selectFrom("payments").select("order_id").orderBy("order_id");
  return {
    insert: async (order_id) => void (await db.insertInto("payments").values({ order_id }).execute()),
    orderIds: async () => (await sorted.execute()).map((row) => row.order_id),
    async *stream() {
      for await (const row of sorted.stream()) yield row.order_id;
    },
    insertInTransaction: (order_id) =>
      db
        .transaction()
        .execute(async (transaction) => void (await transaction.insertInto("payments").values({ order_id }).execute())),
    destroy: () => db.destroy(),
  };
}

function postgres(client: unknown): Dialect {
  const session = client as PoolClient;
  const pool: PostgresPool = { connect: async () => session as never, end: async () => session.release() };
  return new PostgresDialect({ pool });
}

/** It wants connections with callbacks. */
function mysql(client: unknown): Dialect {
  const { connection } = client as Connection & { connection: MysqlConnection };
  const pool: MysqlPool = {
    getConnection: (callback) => callback(undefined, connection as never),
    end: (callback) => connection.end(callback),
  };
  return new MysqlDialect({ pool });
}

interface MysqlConnection {
  end(callback: (error: unknown) => void): void;
}

function sqlite(client: unknown): Dialect {
  const session = client as DatabaseSync;
  const database = {
    close: () => session.close(),
    prepare(sql: string) {
      const statement = session.prepare(sql);
      const given = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...given(parameters)),
        run: (parameters: readonly unknown[]) => statement.run(...given(parameters)),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...given(parameters)),
      };
    },
  };
  return new SqliteDialect({ database });
}
