/**
 * PostgreSQL through `pg`.
 *
 * 1. The engine keeps a few connections for itself; users' transactions take theirs from the pool.
 * 2. Whole numbers come back as numbers, whatever parsers the user has set.
 * 3. A connection that gives no answer is given up, so that a partition is noticed.
 */
import { UnsupportedDatabaseError } from "../../core/errors.ts";
import {
  type Connection,
  completing,
  type Database,
  type LiveConnection,
  type SharedTransaction,
  type Transaction,
} from "../../store/database.ts";
import type { Dialect } from "../../store/dialect.ts";
import type { Naming } from "../../store/naming.ts";
import type { PostgresPool } from "../../store/pools.ts";
import { $, type Param, type Sql, sql } from "../../store/sql.ts";
import { beginOn, connectionThrough } from "../lane-connection.ts";
import { Lanes } from "../lanes.ts";
import { checked, checkPoolSize } from "../opening.ts";
import type { PostgresClient, PostgresPromisePool } from "./client.ts";
import { PlanNames, PostgresConnection } from "./connection.ts";
import { isConnectionLost, isDeadlock, isTransient } from "./errors.ts";
import { PostgresLiveConnection } from "./live.ts";
import { PostgresSession } from "./session.ts";

const TYPES = { text: "text", int: "bigint", list: "text[]" } as const;

/** Text as JSON. It may have what `jsonb` refuses, and what texts of others are not to fail for: NUL, half characters. */
function jsonb<Name extends string = never>(text: string | Param<Name>): Sql<Name> {
  return { parts: ["regexp_replace(", text, `, '\\\\u(0000|d[89a-f][0-9a-f]{2})', '\\\\ufffd', 'g')::jsonb`] };
}

const postgresDialect: Dialect = {
  name: "postgres",
  placeholder: (position, type) => `$${position}::${TYPES[type]}`,
  reusesParameters: true,
  hasReturning: true,
  now: "cast(extract(epoch from clock_timestamp()) * 1000 as bigint)",
  skipLocked: "for update skip locked",
  lockRow: "for no key update",
  insertIgnore: { before: "", after: "on conflict do nothing" },
  tableExists: sql`select 1 as found where to_regclass(${$("table")}) is not null`,
  isOneOf: (column, list) => sql`${column} = any (${list})`,
  bindList: (list) => list,
  rowWord: "",
  containsText: (column, text) => sql`strpos(lower(${column}), lower(${text} collate "C")) > 0`,
  hasMembers: (column, members) => sql`${jsonb(column)} @> ${jsonb(members)}`,
  // Strictly: else a path that does not fit an array is tried on each of its members.
  isJsonAt: (column, { path }, value) =>
    sql`jsonb_path_query_first(${jsonb(column)}, ('strict ' || ${path})::jsonpath, '{}', true) = ${jsonb(value)}`,
  isBlocked: "status = 'blocked'",
  isListedAs: (status) => `status = '${status}'`,
  // A key of 64 bits shows as two numbers of 32 (https://www.postgresql.org/docs/current/view-pg-locks.html).
  isLockHeld: (column) => `case when ${column} is not null then (
    select count(*)::int from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
      and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(${column}, 0)) end`,
};

/** Connections that the engine keeps: one or two for commits, others for claims, histories and its housekeeping. */
const LANES = 3;

/** The same for users' looks at instances: slow ones wait for each other, and nothing else waits for them. */
const VIEWING_LANES = 1;

/** Milliseconds that a statement of a migration, and waiting for another process's migration, may take. */
const MIGRATED_WITHIN = 600_000;

const OLDEST_VERSION = 120_000;

/** Opens a pool on a URL, or uses the user's own, which is left open at the end. */
export async function openPostgres(
  source: string | PostgresPool,
  poolOptions: Readonly<Record<string, unknown>>,
  naming: Naming,
): Promise<Database> {
  const isOurs = typeof source === "string";
  const pool = isOurs ? await createPool(source, poolOptions) : (source as unknown as PostgresPromisePool);
  return checked(new PostgresDatabase(pool, isOurs, naming));
}

async function createPool(url: string, options: Readonly<Record<string, unknown>>): Promise<PostgresPromisePool> {
  const { default: pg } = (await import("pg").catch((cause: unknown) => {
    throw new UnsupportedDatabaseError("PostgreSQL needs the package `pg`: run `npm install pg`.", { cause });
  })) as unknown as { default: { Pool: new (options: object) => PostgresPromisePool } };
  const defaults = { max: 20, keepAlive: true, connectionTimeoutMillis: 10_000 };
  return new pg.Pool({ ...defaults, ...options, connectionString: url });
}

class PostgresDatabase implements Database {
  readonly dialect: Dialect = postgresDialect;
  readonly naming: Naming;
  readonly commitsAtOnce = 2;
  readonly reader: Connection;
  readonly viewer: Connection;
  readonly writer: Connection;
  readonly #pool: PostgresPromisePool;
  readonly #ownsPool: boolean;
  readonly #lanes: Lanes<PostgresClient>;
  readonly #viewing: Lanes<PostgresClient>;

  constructor(pool: PostgresPromisePool, ownsPool: boolean, naming: Naming) {
    this.naming = naming;
    this.#pool = pool;
    this.#ownsPool = ownsPool;
    // What befalls an idle connection is met by whoever asks the pool next.
    if (ownsPool) pool.on("error", () => {});
    const lanesOf = (size: number): Lanes<PostgresClient> =>
      new Lanes<PostgresClient>({
        size,
        open: () => connect(pool),
        release: (client, isBroken) => client.release(isBroken),
        isBroken: (_, error) => isConnectionLost(error),
      });
    this.#lanes = lanesOf(LANES);
    this.#viewing = lanesOf(VIEWING_LANES);
    const names = new PlanNames();
    this.reader = this.writer = connectionThrough(this.#lanes, (client) => new PostgresConnection(client, names));
    this.viewer = connectionThrough(this.#viewing, (client) => new PostgresConnection(client));
  }

  /** @throws UnsupportedDatabaseError */
  async check(): Promise<void> {
    checkPoolSize(this.#pool.options?.max, LANES + VIEWING_LANES + 1);
    const version = await this.#viewing.use(async (client) => {
      const { rows } = await client.query("select current_setting('server_version_num')::int as version");
      return rows[0]?.["version"] as number;
    });
    if (version < OLDEST_VERSION) {
      throw new UnsupportedDatabaseError(`PostgreSQL 12 or newer is needed; the server is of version ${version}.`);
    }
  }

  begin(answerWithin?: number): Promise<Transaction> {
    return beginOn(
      this.#lanes,
      (client) => new PostgresConnection(client, undefined, answerWithin),
      (connection) => connection.script("begin isolation level read committed"),
    );
  }

  async share(): Promise<SharedTransaction> {
    return this.shareNow();
  }

  shareNow(): SharedTransaction {
    return new PostgresSession(() => connect(this.#pool));
  }

  /** In a transaction, under a lock that ends with it. */
  async exclusively<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    const { schema, prefix } = this.naming;
    return completing(await this.begin(MIGRATED_WITHIN), async (transaction) => {
      await transaction.script(
        `select pg_advisory_xact_lock(hashtextextended('${schema ?? ""}.${prefix}migrations', 0))`,
      );
      if (schema !== undefined) {
        await transaction.script(`create schema if not exists "${schema}"; set local search_path to "${schema}"`);
      }
      return body(transaction);
    });
  }

  async live(): Promise<LiveConnection> {
    return new PostgresLiveConnection(await connect(this.#pool), () => this.begin());
  }

  async notify(channel: string, payload: string): Promise<void> {
    await this.#lanes.use((client) => client.query("select pg_notify($1, $2)", [channel, payload]));
  }

  isTransient(error: unknown): boolean {
    return isTransient(error);
  }

  isDeadlock(error: unknown): boolean {
    return isDeadlock(error);
  }

  async close(): Promise<void> {
    await Promise.all([this.#lanes.close(), this.#viewing.close()]);
    // A connection that is being opened may fail: it is gone, as it was to be.
    if (this.#ownsPool) await this.#pool.end().catch(ignore);
  }

  destroy(): void {
    this.#lanes.destroy();
    this.#viewing.destroy();
  }
}

/** A connection of the pool, whose failing while it is idle in our hands must not end the process. */
async function connect(pool: PostgresPromisePool): Promise<PostgresClient> {
  const client = await new Promise<PostgresClient>((resolve, reject) => {
    // Called back at once, where a promise would resolve a moment later: with the server's welcome may come its farewell.
    pool.connect((error, arrived) => {
      arrived?.on("error", ignore);
      if (arrived) resolve(arrived);
      else reject(error);
    });
  });
  const release = client.release.bind(client);
  client.release = (destroy) => {
    client.off("error", ignore);
    client.release = release;
    release(destroy);
  };
  return client;
}

function ignore(): void {}
