/**
 * PostgreSQL through `pg`.
 *
 * 1. The engine keeps a few connections for itself; users' transactions take theirs from the pool.
 * 2. Whole numbers come back as numbers, whatever parsers the user has set.
 * 3. A connection that gives no answer is given up, so that a partition is noticed.
 */
import { UnsupportedDatabaseError } from "../../core/errors.ts";
import type { Connection, Database, LiveConnection, SharedTransaction, Transaction } from "../../store/database.ts";
import type { Dialect } from "../../store/dialect.ts";
import type { Naming } from "../../store/naming.ts";
import type { PostgresPool } from "../../store/pools.ts";
import { $, sql } from "../../store/sql.ts";
import { Lanes } from "../lanes.ts";
import type { PostgresClient, PostgresPromisePool } from "./client.ts";
import { PlanNames, PostgresConnection, PostgresTransaction } from "./connection.ts";
import { isConnectionLost, isTransient } from "./errors.ts";
import { PostgresLiveConnection } from "./live.ts";
import { PostgresSession } from "./session.ts";

const TYPES = { text: "text", int: "bigint", list: "text[]" } as const;

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
  isBlocked: "status = 'blocked'",
  // A key of 64 bits shows as two numbers of 32 (https://www.postgresql.org/docs/current/view-pg-locks.html).
  isLockHeld: (column) => `case when ${column} is not null then (
    select count(*)::int from pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
      and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(${column}, 0)) end`,
};

/** Connections that the engine keeps: one for commits, others for claims, histories and its housekeeping. */
const LANES = 3;

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
  const database = new PostgresDatabase(pool, isOurs, naming);
  try {
    await database.check();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
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
  readonly reader: Connection;
  readonly writer: Connection;
  readonly #pool: PostgresPromisePool;
  readonly #ownsPool: boolean;
  readonly #lanes: Lanes<PostgresClient>;
  readonly #names = new PlanNames();

  constructor(pool: PostgresPromisePool, ownsPool: boolean, naming: Naming) {
    this.naming = naming;
    this.#pool = pool;
    this.#ownsPool = ownsPool;
    // What befalls an idle connection is met by whoever asks the pool next.
    if (ownsPool) pool.on("error", () => {});
    this.#lanes = new Lanes<PostgresClient>({
      size: LANES,
      open: () => connect(pool),
      release: (client, isBroken) => client.release(isBroken),
      isBroken: (_, error) => isConnectionLost(error),
    });
    // Each statement is a transaction of its own.
    this.reader = this.writer = {
      all: (statement, values) => this.#use((connection) => connection.all(statement, values)),
      run: (statement, values) => this.#use((connection) => connection.run(statement, values)),
      script: (text) => this.#use((connection) => connection.script(text)),
    };
  }

  /** @throws UnsupportedDatabaseError */
  async check(): Promise<void> {
    const { max } = this.#pool.options ?? {};
    if (max !== undefined && max < LANES + 2) {
      throw new UnsupportedDatabaseError(
        `The pool has ${max} connections at most; romancy keeps ${LANES + 1} for itself. Allow ${LANES + 2} or more.`,
      );
    }
    const version = await this.#lanes.use(async (client) => {
      if (!client.getTransactionStatus) {
        throw new UnsupportedDatabaseError("This version of `pg` is too old: run `npm install pg@latest`.");
      }
      const { rows } = await client.query("select current_setting('server_version_num')::int as version");
      return rows[0]?.["version"] as number;
    });
    if (version < OLDEST_VERSION) {
      throw new UnsupportedDatabaseError(`PostgreSQL 12 or newer is needed; the server is of version ${version}.`);
    }
  }

  async begin(answerWithin?: number): Promise<Transaction> {
    const client = await this.#lanes.take();
    const release = (isBroken: boolean): void => this.#lanes.give(client, isBroken);
    const transaction = new PostgresTransaction(client, release, answerWithin);
    await transaction.begin();
    return transaction;
  }

  async share(): Promise<SharedTransaction> {
    return this.shareNow();
  }

  shareNow(): SharedTransaction {
    return new PostgresSession(() => connect(this.#pool));
  }

  /** In a transaction, under a lock that ends with it. */
  async exclusively<T>(body: (connection: Connection) => Promise<T>): Promise<T> {
    const transaction = await this.begin(MIGRATED_WITHIN);
    const { schema, prefix } = this.naming;
    try {
      await transaction.script(
        `select pg_advisory_xact_lock(hashtextextended('${schema ?? ""}.${prefix}migrations', 0))`,
      );
      if (schema !== undefined) {
        await transaction.script(`create schema if not exists "${schema}"; set local search_path to "${schema}"`);
      }
      const result = await body(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  async live(): Promise<LiveConnection> {
    return new PostgresLiveConnection(await connect(this.#pool));
  }

  async notify(channel: string, payload: string): Promise<void> {
    await this.#lanes.use((client) => client.query("select pg_notify($1, $2)", [channel, payload]));
  }

  isTransient(error: unknown): boolean {
    return isTransient(error);
  }

  async close(): Promise<void> {
    await this.#lanes.close();
    // A connection that is being opened may fail: it is gone, as it was to be.
    if (this.#ownsPool) await this.#pool.end().catch(ignore);
  }

  destroy(): void {
    this.#lanes.destroy();
  }

  #use<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    return this.#lanes.use((client) => work(new PostgresConnection(client, this.#names)));
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
