/**
 * SQLite through `node:sqlite`.
 *
 * 1. One connection writes, under a mutex: SQLite has one writer. It is never waited for inside SQLite, which would
 *    stop the event loop; who finds it held by another process tries again a little later.
 * 2. Another connection reads, so that reads never see an open transaction. A database in memory has only one
 *    connection; there, reads may see a session's uncommitted rows, never the engine's, which are written at once.
 * 3. WAL and `synchronous = FULL`: what was committed survives a power failure.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { SessionError, UnsupportedDatabaseError } from "../core/errors.ts";
import { type Connection, completing, type Database, type Row, type SharedTransaction } from "../store/database.ts";
import type { Dialect } from "../store/dialect.ts";
import type { Naming } from "../store/naming.ts";
import { $, type Bindable, type SqlValue, sql } from "../store/sql.ts";
import type { Compiled } from "../store/statement.ts";
import { facadeOf } from "./facade.ts";
import { Mutex } from "./mutex.ts";

const sqliteDialect: Dialect = {
  name: "sqlite",
  placeholder: () => "?",
  // Node 22 binds positional values to plain placeholders only.
  reusesParameters: false,
  hasReturning: true,
  now: "cast(round(unixepoch('subsec') * 1000) as integer)",
  // Whoever writes has the database to himself.
  skipLocked: "",
  lockRow: "",
  insertIgnore: { before: "", after: "on conflict do nothing" },
  tableExists: sql`select name from sqlite_schema where type = 'table' and name = ${$("table")}`,
  isOneOf: (column, list) => sql`${column} in (select value from json_each(${list}))`,
  bindList: JSON.stringify,
  rowWord: "",
  containsText: (column, text) => sql`instr(lower(${column}), lower(${text})) > 0`,
  hasMembers: (column, members) => sql`not exists (
    select 1 from json_each(${members}) as wanted where not exists (
      select 1 from json_each(${column}) as had where had.key = wanted.key and had.value = wanted.value))`,
  isJsonAt: (column, { path }, value) => sql`(
    replace(json_type(${column}, ${path}), 'integer', 'real') = replace(json_type(${value}), 'integer', 'real')
    and json_extract(${column}, ${path}) is json_extract(${value}, '$'))`,
  isBlocked: "status = 'blocked'",
  // It takes a partial index only for what says the same as the index.
  isListedAs: (status) =>
    `status = '${status}' and status <> 'pending' and status <> 'running' and status <> 'completed'`,
  isLockHeld: () => "null",
};

/** Milliseconds between two tries to get the write lock from another process: a random wait up to this. */
const BUSY_WAIT = 8;

/** Milliseconds after which the caller is told that another process holds the lock. */
const BUSY_LIMIT = 10_000;

/** What the time that an app brings is called in SQL. */
const OWN_TIME = "romancy_time";

/**
 * Opens a file, creating it when it does not exist, or `:memory:`.
 *
 * @param time in place of SQLite's clock, in epoch milliseconds
 */
export async function openSqlite(path: string, naming: Naming, time?: () => number): Promise<Database> {
  const { DatabaseSync: Opener } = await import("node:sqlite").catch((cause: unknown) => {
    throw new UnsupportedDatabaseError("This Node.js has no `node:sqlite`. Use Node.js 22.13 or newer.", { cause });
  });
  const writer = new Opener(path, { timeout: 0 });
  try {
    // Another process that opens the file at the same moment holds it for an instant.
    await retryBusy(() => writer.exec("pragma journal_mode = wal"));
    writer.exec("pragma synchronous = full");
    const reader = path === ":memory:" ? writer : new Opener(path, { readOnly: true, timeout: 0 });
    if (!time) return new SqliteDatabase(writer, reader, naming, sqliteDialect);
    for (const client of new Set([writer, reader])) client.function(OWN_TIME, time);
    return new SqliteDatabase(writer, reader, naming, { ...sqliteDialect, now: `${OWN_TIME}()` });
  } catch (error) {
    writer.close();
    throw error;
  }
}

const BEGIN = "begin immediate";

/** Tells at the end whether it is still the same transaction: users' code may have ended it and begun another. */
const MARK = "romancy_session";
const BEGIN_SHARED = `${BEGIN}; savepoint ${MARK}`;

class SqliteDatabase implements Database {
  readonly dialect: Dialect;
  readonly naming: Naming;
  readonly commitsAtOnce = 1;
  readonly reader: Connection;
  readonly viewer: Connection;
  readonly writer: Connection;
  readonly #writer: SqliteConnection;
  readonly #close: () => void;
  readonly #mutex = new Mutex();
  #dataVersion: unknown;

  constructor(writer: DatabaseSync, reader: DatabaseSync, naming: Naming, dialect: Dialect) {
    this.dialect = dialect;
    this.naming = naming;
    this.#writer = new SqliteConnection(writer);
    this.writer = {
      all: (statement, values) => this.#alone(() => this.#writer.read(statement, values)),
      run: (statement, values) => this.#alone(() => this.#writer.write(statement, values)),
      script: (text) => this.#alone(() => this.#writer.client.exec(text)),
    };
    this.reader = this.viewer = new SqliteConnection(reader);
    this.#close = () => {
      if (reader !== writer) reader.close();
      writer.close();
    };
    this.changedByOthers();
  }

  /** Without the mark: from a savepoint on, SQLite keeps a copy of each page that is written. */
  begin(): Promise<SharedTransaction> {
    return this.#begin(BEGIN);
  }

  async exclusively<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    return completing(await this.begin(), body);
  }

  share(): Promise<SharedTransaction> {
    return this.#begin(BEGIN_SHARED);
  }

  shareNow(): SharedTransaction | undefined {
    const release = this.#mutex.acquireNow();
    if (!release) return undefined;
    try {
      this.#writer.client.exec(BEGIN_SHARED);
    } catch (error) {
      release();
      if (isBusy(error)) return undefined;
      throw error;
    }
    return new SqliteTransaction(this.#writer, release);
  }

  idle(): Promise<void> | undefined {
    return this.#mutex.idle();
  }

  changedByOthers(): boolean {
    const version = this.#writer.dataVersion();
    const changed = version !== this.#dataVersion;
    this.#dataVersion = version;
    return changed;
  }

  isTransient(error: unknown): boolean {
    const code = codeOf(error);
    return code !== 0 && !FAULTS.has(code & 0xff);
  }

  async close(): Promise<void> {
    const release = await this.#mutex.acquire();
    this.#close();
    release();
  }

  async #begin(statement: string): Promise<SharedTransaction> {
    const release = await this.#mutex.acquire();
    try {
      await retryBusy(() => this.#writer.client.exec(statement));
    } catch (error) {
      release();
      throw error;
    }
    return new SqliteTransaction(this.#writer, release);
  }

  async #alone<T>(action: () => T): Promise<T> {
    const release = await this.#mutex.acquire();
    try {
      return await retryBusy(action);
    } finally {
      release();
    }
  }
}

class SqliteConnection implements Connection {
  readonly client: DatabaseSync;
  readonly #prepared = new Map<Compiled, StatementSync>();
  readonly #version: StatementSync;

  constructor(client: DatabaseSync) {
    this.client = client;
    this.#version = client.prepare("pragma data_version");
  }

  async all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return this.read(statement, values);
  }

  async run(statement: Compiled, values: readonly Bindable[]): Promise<number> {
    return this.write(statement, values);
  }

  read(statement: Compiled, values: readonly Bindable[]): Row[] {
    return this.#prepare(statement).all(...(values as SqlValue[]));
  }

  write(statement: Compiled, values: readonly Bindable[]): number {
    return Number(this.#prepare(statement).run(...(values as SqlValue[])).changes);
  }

  async script(text: string): Promise<void> {
    this.client.exec(text);
  }

  dataVersion(): unknown {
    return this.#version.get()?.["data_version"];
  }

  #prepare(statement: Compiled): StatementSync {
    let prepared = this.#prepared.get(statement);
    if (!prepared) {
      prepared = this.client.prepare(statement.text);
      this.#prepared.set(statement, prepared);
    }
    return prepared;
  }
}

class SqliteTransaction implements SharedTransaction {
  readonly begun: Promise<void> = Promise.resolve();
  readonly #connection: SqliteConnection;
  readonly #release: () => void;
  #facade: unknown;
  #isOver = false;

  constructor(connection: SqliteConnection, release: () => void) {
    this.#connection = connection;
    this.#release = release;
  }

  /** The engine writes through the same connection: users' code may not close it, nor use it later. */
  get client(): unknown {
    this.#facade ??= facadeOf(this.#connection.client, { isOver: () => this.#isOver });
    return this.#facade;
  }

  async isOpen(): Promise<boolean> {
    if (this.#isOver) return false;
    try {
      this.#connection.client.exec(`release ${MARK}`);
      return true;
    } catch {
      return false;
    }
  }

  async all(statement: Compiled, values: readonly Bindable[]): Promise<Row[]> {
    return this.#use().read(statement, values);
  }

  async run(statement: Compiled, values: readonly Bindable[]): Promise<number> {
    return this.runNow(statement, values);
  }

  runNow(statement: Compiled, values: readonly Bindable[]): number {
    return this.#use().write(statement, values);
  }

  async script(text: string): Promise<void> {
    this.#use().client.exec(text);
  }

  async query(text: string, values: readonly SqlValue[]): Promise<Row[]> {
    return this.#use()
      .client.prepare(text)
      .all(...values);
  }

  async commit(): Promise<void> {
    this.#isOver = true;
    this.#connection.client.exec("commit");
    this.#release();
  }

  async rollback(): Promise<void> {
    this.#isOver = true;
    try {
      this.#connection.client.exec("rollback");
    } catch {
      // Some errors (a full disk, for one) have rolled back already; then there is nothing left to roll back.
    } finally {
      this.#release();
    }
  }

  /** After its end the connection is somebody else's, or what is written stays written. */
  #use(): SqliteConnection {
    if (this.#isOver) throw new SessionError("The activity's session has ended: it cannot be used.");
    return this.#connection;
  }
}

async function retryBusy<T>(action: () => T): Promise<T> {
  const deadline = performance.now() + BUSY_LIMIT;
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * BUSY_WAIT));
    }
  }
}

/** Result codes of SQLite (https://www.sqlite.org/rescode.html). */
const BUSY = 5;
const LOCKED = 6;
/** The codes that blame the statement or its values; all others (disk full, I/O, locked) are the database's state. */
const FAULTS: ReadonlySet<number> = new Set([
  1, // SQLITE_ERROR
  18, // SQLITE_TOOBIG
  19, // SQLITE_CONSTRAINT
  20, // SQLITE_MISMATCH
  25, // SQLITE_RANGE
]);

function isBusy(error: unknown): boolean {
  const code = codeOf(error) & 0xff;
  return code === BUSY || code === LOCKED;
}

function codeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : 0;
}
