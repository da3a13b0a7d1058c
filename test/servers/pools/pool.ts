/** Pools as users make them with the drivers. */
import mysqlWithCallbacks from "mysql2";
import mysql from "mysql2/promise";
import { Pool } from "pg";
import type { RomancyOptions } from "../../../src/index.ts";
import { testDatabase } from "../../support/apps.ts";
import { dialectName } from "../../support/database.ts";

export interface UsersPool {
  readonly pool: Exclude<RomancyOptions["database"], string>;
  /** Runs a statement on any connection of it. */
  query(sql: string): Promise<unknown[]>;
  /** Takes a connection, and gives what gives it back. */
  take(): Promise<() => void>;
  /** Connections that somebody has. */
  inUse(): number;
  /** Who waits for one. */
  waiting(): number;
  end(): Promise<void>;
}

/** What makes a pool of so many connections on the test's database. */
export type MakePool = (size: number, options?: object) => UsersPool;

/** By the name of what makes it. */
export const makers: Readonly<Record<string, MakePool>> =
  dialectName === "postgres"
    ? { "pg.Pool": makePostgres }
    : { "createPool of mysql2/promise": makeMysql, "createPool of mysql2": makeMysqlWithCallbacks };

function makePostgres(max: number, options: object = {}): UsersPool {
  const pool = new Pool({ ...options, connectionString: testDatabase().url, max });
  return {
    pool,
    query: async (sql) => (await pool.query(sql)).rows as unknown[],
    async take() {
      const client = await pool.connect();
      return () => client.release();
    },
    inUse: () => pool.totalCount - pool.idleCount,
    waiting: () => pool.waitingCount,
    end: () => pool.end(),
  };
}

function makeMysql(connectionLimit: number, options: object = {}): UsersPool {
  const pool = mysql.createPool({ ...options, uri: mysqlUrl(), connectionLimit });
  return ofMysql(pool, pool);
}

function makeMysqlWithCallbacks(connectionLimit: number, options: object = {}): UsersPool {
  const pool = mysqlWithCallbacks.createPool({ ...options, uri: mysqlUrl(), connectionLimit });
  return ofMysql(pool, pool.promise());
}

/** `mysql2` knows no other scheme. */
function mysqlUrl(): string {
  return testDatabase().url.replace(/^mariadb:/, "mysql:");
}

/** What the driver does not tell by its interface. */
interface Inside {
  readonly pool: Readonly<Record<"_allConnections" | "_freeConnections" | "_connectionQueue", { length: number }>>;
}

function ofMysql(pool: UsersPool["pool"], promised: mysql.Pool): UsersPool {
  const { pool: inside } = promised as unknown as Inside;
  return {
    pool,
    query: async (sql) => (await promised.query(sql))[0] as unknown[],
    async take() {
      const connection = await promised.getConnection();
      return () => connection.release();
    },
    inUse: () => inside._allConnections.length - inside._freeConnections.length,
    waiting: () => inside._connectionQueue.length,
    end: () => promised.end(),
  };
}
