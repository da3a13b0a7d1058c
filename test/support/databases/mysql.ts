import mysql from "mysql2/promise";
import { outsiders } from "../drivers/watch.ts";
import type { DatabaseKind } from "../provided.ts";
import { type Databases, type Hold, newName, type Param, type Row, type TestDatabase, urlOf } from "./database.ts";

/** Milliseconds; what is asked for more often than each 100 shows no news (INNODB_TRX is kept while it is read). */
const LOOK_EVERY = 120;

/*
 * What MySQL has of this in `information_schema` cannot be read while anybody's statement, of whatever database, has a
 * character of four bytes. MariaDB has it nowhere else.
 */

/** The table of connections. */
export function processList(kind: DatabaseKind): string {
  return kind === "mysql" ? "performance_schema.processlist" : "information_schema.processlist";
}

/** Gives a row for each connection with the database `?` that waits for a lock of a row. */
export function waitingFor(kind: DatabaseKind): string {
  return kind === "mysql"
    ? `select 1 from performance_schema.data_lock_waits
       join performance_schema.threads on thread_id = requesting_thread_id where processlist_db = ?`
    : `select 1 from information_schema.innodb_trx
       join information_schema.processlist on id = trx_mysql_thread_id where db = ? and trx_state = 'LOCK WAIT'`;
}

/** MySQL and MariaDB. */
export class MysqlDatabases implements Databases {
  readonly #url: string;
  readonly #kind: DatabaseKind;
  #admin: Promise<mysql.Connection> | undefined;

  constructor({ url, kind }: { readonly url: string; readonly kind: DatabaseKind }) {
    this.#url = url;
    this.#kind = kind;
  }

  async create(): Promise<TestDatabase> {
    const name = newName();
    const admin = await this.#connected();
    await admin.query(`create database ${name} character set utf8mb4`);
    return new MysqlTestDatabase(admin, urlOf(this.#url, name), name, this.#kind);
  }

  async close(): Promise<void> {
    await (await this.#admin)?.end();
    this.#admin = undefined;
  }

  #connected(): Promise<mysql.Connection> {
    this.#admin ??= connect(this.#url);
    return this.#admin;
  }
}

class MysqlTestDatabase implements TestDatabase {
  readonly url: string;
  readonly #admin: mysql.Connection;
  readonly #name: string;
  readonly #kind: DatabaseKind;

  constructor(admin: mysql.Connection, url: string, name: string, kind: DatabaseKind) {
    this.#admin = admin;
    this.url = url;
    this.#name = name;
    this.#kind = kind;
  }

  async exec(sql: string, params?: readonly Param[]): Promise<void> {
    await this.rows(sql, params);
  }

  async rows(sql: string, params: readonly Param[] = []): Promise<Row[]> {
    const connection = await connect(this.url);
    try {
      const [rows] = await connection.query(sql, [...params]);
      return Array.isArray(rows) ? (rows as Row[]).map((row) => ({ ...row })) : [];
    } finally {
      await connection.end();
    }
  }

  async open(): Promise<string[]> {
    const [rows] = await this.#admin.query(
      `select coalesce(info, command) as query from ${processList(this.#kind)} where db = ? and command <> 'Killed'`,
      [this.#name],
    );
    return (rows as { query: string }[]).map(({ query }) => query);
  }

  async hold(): Promise<Hold> {
    const connection = await connect(this.url);
    // All rows and the gaps between them.
    await connection.query("set transaction isolation level repeatable read");
    await connection.query("start transaction");
    await connection.query("select id from romancy_instances for update");
    return {
      waitedFor: async () => {
        while (!(await this.#isWaitedFor())) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
      },
      async release() {
        await connection.query("commit");
        await connection.end();
      },
    };
  }

  async drop(): Promise<void> {
    await this.#admin.query(`drop database ${this.#name}`);
  }

  async #isWaitedFor(): Promise<boolean> {
    const [rows] = await this.#admin.query(waitingFor(this.#kind), [this.#name]);
    return (rows as unknown[]).length > 0;
  }
}

/** The scheme may be `mariadb:`, of which `mysql2` knows nothing. */
async function connect(url: string): Promise<mysql.Connection> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const connection = await mysql.createConnection({
    host: hostname,
    port: Number(port || 3306),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
    multipleStatements: true,
  });
  outsiders.add((connection as unknown as { connection: object }).connection);
  return connection;
}
