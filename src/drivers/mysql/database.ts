/**
 * MySQL 8 and MariaDB through `mysql2`.
 *
 * 1. The engine keeps a few connections for itself; users' transactions take theirs from the pool.
 * 2. Only the engine's connections take several statements in one query; users' code gets none of these.
 * 3. Values are put into statements by `mysql2`, which needs a server that takes a backslash for an escape.
 */
import { UnsupportedDatabaseError } from "../../core/errors.ts";
import type {
  Connection,
  Database,
  LiveConnection,
  Reply,
  SharedTransaction,
  Text,
  Transaction,
} from "../../store/database.ts";
import type { Dialect } from "../../store/dialect.ts";
import type { Naming } from "../../store/naming.ts";
import type { MysqlPool } from "../../store/pools.ts";
import { $, sql } from "../../store/sql.ts";
import { beginOn, connectionThrough } from "../lane-connection.ts";
import { Lanes } from "../lanes.ts";
import { checked, checkPoolSize } from "../opening.ts";
import type { MysqlClient, MysqlPromisePool } from "./client.ts";
import { AS_ROWS, BEGIN, MysqlConnection, transact } from "./connection.ts";
import { isConnectionLost, isDeadlock, isTransient } from "./errors.ts";
import { MysqlLiveConnection } from "./live.ts";
import { MysqlSession } from "./session.ts";

const mysqlDialect: Dialect = {
  name: "mysql",
  placeholder: () => "?",
  reusesParameters: false,
  hasReturning: false,
  // Not by way of local time, of which an hour comes twice a year.
  now: "timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000",
  skipLocked: "for update skip locked",
  lockRow: "for update",
  insertIgnore: { before: "ignore", after: "" },
  tableExists: sql`
    select 1 as found from information_schema.tables where table_schema = database() and table_name = ${$("table")}`,
  isOneOf: (column, list) => sql`${column} in (${list})`,
  // `in ()` is no SQL; nothing equals null.
  bindList: (list) => (list.length > 0 ? list : null),
  rowWord: "row",
  containsText: (column, text) => sql`instr(lower(${column}), lower(${text})) > 0`,
  // MySQL refuses texts with half characters.
  hasMembers: (column, members) => sql`case when json_valid(${column}) then json_contains(${column}, ${members}) end`,
  // A list contains what is one of its members, but does not equal it. MariaDB takes numbers for equal that differ by
  // little. The first position of what is no list is the thing itself, for both.
  isJsonAt: (column, { path, lists }, value) => sql`case when json_valid(${column}) then
    json_contains(${column}, ${value}, ${path})
    and json_type(json_extract(${column}, ${path})) not in ('ARRAY', 'OBJECT')
    and json_unquote(json_extract(${column}, ${path})) + 0e0 = json_unquote(${value}) + 0e0
    and not exists (
      select 1 from json_table(${lists}, '$[*]' columns (place text path '$')) as lists
      where json_type(json_extract(${column}, lists.place)) <> 'ARRAY') end`,
  isBlocked: "blocked_since is not null",
  isListedAs: (status) => `listed_status = '${status}'`,
  isLockHeld: (column) => `case when ${column} is not null then 1 - is_free_lock(${column}) end`,
};

const mariadbDialect: Dialect = { ...mysqlDialect, rowWord: "" };

/** Connections that the engine keeps: one or two for commits, others for claims, histories and its housekeeping. */
const LANES = 3;

/** The same for users' looks at instances: slow ones wait for each other, and nothing else waits for them. */
const VIEWING_LANES = 1;

/** Seconds that another process is given to migrate. */
const MIGRATED_WITHIN = 600;

/** The flag by which an update tells how many rows it found, not how many it had to change. */
const FOUND_ROWS = 2;

/** Opens pools on a URL, or uses the user's own, which is left open at the end. */
export async function openMysql(
  source: string | MysqlPool,
  poolOptions: Readonly<Record<string, unknown>>,
  naming: Naming,
): Promise<Database> {
  return checked(typeof source === "string" ? await openUrl(source, poolOptions, naming) : usePool(source, naming));
}

async function openUrl(
  url: string,
  options: Readonly<Record<string, unknown>>,
  naming: Naming,
): Promise<MysqlDatabase> {
  const mysql = (await import("mysql2/promise").catch((cause: unknown) => {
    throw new UnsupportedDatabaseError("MySQL and MariaDB need the package `mysql2`: run `npm install mysql2`.", {
      cause,
    });
  })) as unknown as { createPool(options: object): MysqlPromisePool };
  const uri = url.replace(/^mariadb:/i, "mysql:");
  const defaults = { connectionLimit: 20, enableKeepAlive: true, connectTimeout: 10_000, charset: "utf8mb4", uri };
  const own = { ...defaults, ...options, connectionLimit: LANES + VIEWING_LANES, multipleStatements: true };
  const users = mysql.createPool({ ...defaults, ...options });
  return new MysqlDatabase(mysql.createPool(own), users, true, naming);
}

function usePool(pool: MysqlPool, naming: Naming): MysqlDatabase {
  const withCallbacks = pool as { promise?(): MysqlPromisePool };
  const promised = withCallbacks.promise ? withCallbacks.promise() : (pool as unknown as MysqlPromisePool);
  return new MysqlDatabase(promised, promised, false, naming);
}

class MysqlDatabase implements Database {
  dialect: Dialect = mysqlDialect;
  readonly naming: Naming;
  readonly commitsAtOnce = 2;
  readonly reader: Connection;
  readonly viewer: Connection;
  readonly writer: Connection;
  readonly #pool: MysqlPromisePool;
  readonly #users: MysqlPromisePool;
  readonly #ownsPools: boolean;
  readonly #takesSeveral: boolean;
  readonly #lanes: Lanes<MysqlClient>;
  readonly #viewing: Lanes<MysqlClient>;
  readonly #connectionOf: (client: MysqlClient) => MysqlConnection;
  #packet = 1_048_576;

  constructor(pool: MysqlPromisePool, users: MysqlPromisePool, ownsPools: boolean, naming: Naming) {
    this.naming = naming;
    this.#pool = pool;
    this.#users = users;
    this.#ownsPools = ownsPools;
    this.#takesSeveral = pool.pool.config.connectionConfig.multipleStatements === true;
    const lanesOf = (size: number): Lanes<MysqlClient> =>
      new Lanes<MysqlClient>({
        size,
        open: () => pool.getConnection(),
        release: (client, isBroken) => (isBroken ? client.destroy() : client.release()),
        isBroken: (_, error) => isConnectionLost(error),
      });
    this.#lanes = lanesOf(LANES);
    this.#viewing = lanesOf(VIEWING_LANES);
    this.#connectionOf = (client) => new MysqlConnection(client, this.#takesSeveral, { packet: this.#packet });
    this.reader = this.writer = connectionThrough(this.#lanes, this.#connectionOf);
    this.viewer = connectionThrough(this.#viewing, this.#connectionOf);
  }

  /** @throws UnsupportedDatabaseError */
  async check(): Promise<void> {
    const { connectionLimit, connectionConfig } = this.#users.pool.config;
    // Of a URL the engine has a pool of its own beside; the live connection is in the users' one always. 0 is no limit.
    checkPoolSize(connectionLimit === 0 ? undefined : connectionLimit, this.#ownsPools ? 1 : LANES + VIEWING_LANES + 1);
    if (connectionConfig.clientFlags !== undefined && (connectionConfig.clientFlags & FOUND_ROWS) === 0) {
      throw new UnsupportedDatabaseError("The pool's `flags` switch FOUND_ROWS off, which romancy needs. Leave it on.");
    }
    const [[row]] = (await this.#viewing.use((client) =>
      client.query({
        sql: `select version() as version, @@sql_mode as mode, @@character_set_client as charset, @@autocommit as autocommit,
              @@max_allowed_packet as packet, coalesce(database(), '') as name`,
        ...AS_ROWS,
      }),
    )) as unknown as [ServerFacts[]];
    if (row?.name === "") throw new UnsupportedDatabaseError("The URL names no database. Put its name at the end.");
    if (row?.autocommit === 0) throw new UnsupportedDatabaseError("The pool switches autocommit off. Leave it on.");
    this.#packet = row?.packet ?? this.#packet;
    if (row?.mode.includes("NO_BACKSLASH_ESCAPES")) {
      throw new UnsupportedDatabaseError("The sql_mode NO_BACKSLASH_ESCAPES makes values unsafe. Take it out.");
    }
    if (row?.charset !== "utf8mb4") {
      throw new UnsupportedDatabaseError(`Its charset ${row?.charset} would spoil texts. Let the pool have utf8mb4.`);
    }
    const version = row?.version ?? "";
    checkVersion(version);
    if (isMariaDb(version)) this.dialect = mariadbDialect;
  }

  begin(): Promise<Transaction> {
    return beginOn(this.#lanes, this.#connectionOf, async (connection) => void (await connection.together(BEGIN)));
  }

  async share(): Promise<SharedTransaction> {
    return this.shareNow();
  }

  shareNow(): SharedTransaction {
    return new MysqlSession(() => this.#users.getConnection());
  }

  async transact(statements: readonly Text[]): Promise<readonly Reply[]> {
    return this.#lanes.use((client) => transact(this.#connectionOf(client), statements));
  }

  /** Under a lock of the connection; statements that define tables commit by themselves here. */
  async exclusively<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    // Names of locks have 64 characters at most, and are the whole server's.
    const lock = `concat('romancy:', left(sha2(concat(database(), '.${this.naming.prefix}'), 256), 40))`;
    return this.#lanes.use(async (client) => {
      const [rows] = await client.query({
        sql: `select get_lock(${lock}, ${MIGRATED_WITHIN}) as locked`,
        ...AS_ROWS,
      });
      if (!Array.isArray(rows) || Number(rows[0]?.["locked"]) !== 1) {
        throw new UnsupportedDatabaseError("Another process has been migrating the database for ten minutes.");
      }
      try {
        return await body(new MysqlConnection(client, this.#takesSeveral, { answerWithin: MIGRATED_WITHIN * 1_000 }));
      } finally {
        await client.query({ sql: `select release_lock(${lock})` });
      }
    });
  }

  async live(): Promise<LiveConnection> {
    return new MysqlLiveConnection(await this.#users.getConnection());
  }

  isTransient(error: unknown): boolean {
    return isTransient(error);
  }

  isDeadlock(error: unknown): boolean {
    return isDeadlock(error);
  }

  async close(): Promise<void> {
    await Promise.all([this.#lanes.close(), this.#viewing.close()]);
    if (!this.#ownsPools) return;
    // A connection that is being opened may fail: it is gone, as it was to be.
    await Promise.allSettled([this.#pool.end(), this.#users.end()]);
  }

  destroy(): void {
    this.#lanes.destroy();
    this.#viewing.destroy();
  }
}

interface ServerFacts {
  readonly version: string;
  readonly mode: string;
  readonly charset: string;
  readonly autocommit: number;
  /** The most bytes of one query. */
  readonly packet: number;
  readonly name: string;
}

function isMariaDb(version: string): boolean {
  return /mariadb/i.test(version);
}

/** Needed: `skip locked`, check constraints, lists of values as tables, and a collation that compares bytes. */
function checkVersion(version: string): void {
  const [major = 0, minor = 0, patch = 0] = (/\d+\.\d+\.\d+/.exec(version)?.[0] ?? "").split(".").map(Number);
  const number = major * 10_000 + minor * 100 + patch;
  if (number >= (isMariaDb(version) ? 100_600 : 80_019)) return;
  throw new UnsupportedDatabaseError(`MySQL 8.0.19 or MariaDB 10.6, or newer, is needed; the server is ${version}.`);
}
