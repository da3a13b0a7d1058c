import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { outsiders } from "../drivers/watch.ts";
import type { Databases, Hold, Param, Row, TestDatabase } from "./database.ts";

export const sqliteDatabases: Databases = {
  create: async () => new SqliteTestDatabase(mkdtempSync(join(tmpdir(), "romancy-test-"))),
  close: async () => {},
};

/** A file in a folder of its own. */
class SqliteTestDatabase implements TestDatabase {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get url(): string {
    return join(this.#folder, "test.db");
  }

  async exec(sql: string, params?: readonly Param[]): Promise<void> {
    if (params) await this.rows(sql, params);
    else this.#use((database) => database.exec(sql));
  }

  async rows(sql: string, params: readonly Param[] = []): Promise<Row[]> {
    const rows = this.#use((database) => database.prepare(sql).all(...params));
    return rows.map((row) => ({ ...row }));
  }

  async open(): Promise<string[]> {
    return readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        return target.startsWith(this.#folder) ? [target] : [];
      } catch {
        return [];
      }
    });
  }

  async hold(): Promise<Hold> {
    const database = this.#connect();
    database.exec("begin immediate");
    return {
      // It tries again and again; nothing tells of that from outside.
      async waitedFor() {
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      },
      async release() {
        database.exec("commit");
        database.close();
      },
    };
  }

  async drop(): Promise<void> {
    rmSync(this.#folder, { recursive: true });
  }

  #use<T>(work: (database: DatabaseSync) => T): T {
    const database = this.#connect();
    try {
      return work(database);
    } finally {
      database.close();
    }
  }

  #connect(): DatabaseSync {
    const database = new DatabaseSync(this.url, { timeout: 5_000 });
    outsiders.add(database);
    return database;
  }
}
