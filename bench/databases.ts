/** Databases of the benchmarks' own, and how to look into them past the library. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import mysql from "mysql2/promise";
import { Client } from "pg";

/** `mysql` is MariaDB too. */
export type Kind = "sqlite" | "postgres" | "mysql";

export const KINDS: readonly Kind[] = ["sqlite", "postgres", "mysql"];
export const SERVERS: readonly Kind[] = ["postgres", "mysql"];

/** Where databases are made. */
export interface Home {
  readonly kind: Kind;
  /** A folder for SQLite; else an administrator's URL. */
  readonly at: string;
  /** What the names of the databases begin with. */
  readonly prefix: string;
}

type Row = Readonly<Record<string, unknown>>;

export interface BenchDatabase {
  /** What the option `database` is to be. */
  readonly url: string;
  rows(sql: string): Promise<Row[]>;
  drop(): Promise<void>;
}

export async function createDatabase(home: Home, name: string): Promise<BenchDatabase> {
  const full = home.prefix + name;
  const url = home.kind === "sqlite" ? join(home.at, `${full}.db`) : urlOf(home.at, full);
  if (home.kind !== "sqlite") await query(home.kind, home.at, `create database ${full}`);
  return { url, rows: (sql) => query(home.kind, url, sql), drop: () => drop(home, full) };
}

/** Drops what earlier `createDatabase` left. */
export async function dropAll(home: Home): Promise<void> {
  if (home.kind === "sqlite") return;
  const list = {
    postgres: "select datname as name from pg_database",
    mysql: "select schema_name as name from information_schema.schemata",
  };
  for (const { name } of await query(home.kind, home.at, list[home.kind])) {
    if (String(name).startsWith(home.prefix)) await drop(home, String(name));
  }
}

async function drop(home: Home, name: string): Promise<void> {
  if (home.kind === "sqlite") {
    for (const end of ["", "-wal", "-shm"]) rmSync(join(home.at, `${name}.db${end}`), { force: true });
    return;
  }
  await query(home.kind, home.at, `drop database ${name}${home.kind === "postgres" ? " with (force)" : ""}`);
}

/** Runs a statement on a connection of its own. */
export async function query(kind: Kind, url: string, sql: string): Promise<Row[]> {
  return QUERIES[kind](url, sql);
}

const QUERIES: Readonly<Record<Kind, (url: string, sql: string) => Promise<Row[]>>> = {
  async sqlite(file, sql) {
    const database = new DatabaseSync(file, { timeout: 5_000 });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  },
  async postgres(url, sql) {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  },
  async mysql(url, sql) {
    const connection = await mysql.createConnection({ uri: mysqlUrl(url) });
    try {
      const [rows] = await connection.query(sql);
      return Array.isArray(rows) ? (rows as Row[]) : [];
    } finally {
      await connection.end();
    }
  },
};

/** `mysql2` knows nothing of `mariadb:`. */
export function mysqlUrl(url: string): string {
  return url.replace(/^mariadb:/i, "mysql:");
}

function urlOf(admin: string, name: string): string {
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return url.href;
}
