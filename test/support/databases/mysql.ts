import mysql from "mysql2/promise";
import { outsiders } from "../drivers/watch.ts";
import { type Databases, type Hold, newName, type Param, type Row, type TestDatabase, urlOf } from "./database.ts";

/** Milliseconds; what is asked for more often than each 100 shows no news (INNODB_TRX is kept while it is read). */
const LOOK_EVERY = 120;

/** MySQL and MariaDB. */
export class MysqlDatabases implements Databases {
  readonly #url: string;
  #admin: Promise<mysql.Connection> | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async create(): Promise<TestDatabase> {
    const name = newName();
    const admin = await this.#connected();
    await admin.query(`create database ${name} character set utf8mb4`);
    return new MysqlTestDatabase(admin, urlOf(this.#url, name), name);
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

  constructor(admin: mysql.Connection, url: string, name: string) {
    this.#admin = admin;
    this.url = url;
    this.#name = name;
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
      "select coalesce(info, command) as query from information_schema.processlist where db = ? and command <> 'Killed'",
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
    const [rows] = await this.#admin.query(
      `select 1 from information_schema.innodb_trx join information_schema.processlist on id = trx_mysql_thread_id
       where db = ? and trx_state = 'LOCK WAIT'`,
      [this.#name],
    );
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
