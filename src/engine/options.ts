import { constants } from "node:os";
import { DEFAULT_MAX_VALUE_BYTES } from "../core/codec.ts";
import { type Duration, toMilliseconds } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import { checkFlag, checkKeys, checkOptions, isObject, type KnownKeys } from "../core/known-keys.ts";
import { checkRetryPolicy, type RetryPolicy } from "../core/retry.ts";
import type { HttpSettings } from "../http/port.ts";
import type { MysqlPool, Naming, PostgresPool } from "../store/store.ts";
import type { Hooks } from "../workflow/hooks.ts";
import type { Logger } from "../workflow/logger.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { checkCount } from "./check-filter.ts";
import { kindOf, pathOf } from "./database-location.ts";
import { consoleLogger } from "./log.ts";
import { type RetentionOptions, type RetentionSettings, resolveRetention } from "./operating/retention-options.ts";
import { warnOfOriginals, withoutOriginals } from "./options-of-originals.ts";
import { type OutboxOptions, type OutboxSettings, resolveOutbox } from "./outbox/outbox-options.ts";
import { NO_SEAMS, type Seams } from "./seams.ts";

/** What an app can be told. Only `database` is needed. */
export interface RomancyOptions {
  /**
   * A SQLite file (`workflow.db`, `file:workflow.db`, `sqlite:workflow.db`) or `:memory:`; a URL that begins with
   * `postgres://`, `postgresql://`, `mysql://` or `mariadb://`; or a pool of your own, made by `pg` or `mysql2`, which
   * is left open at the end and of which romancy keeps five connections.
   */
  readonly database: string | URL | PostgresPool | MysqlPool;
  /** For the pool that is made of a URL: options of `pg.Pool` or of `mysql2`'s `createPool`, such as `ssl` and sizes. */
  readonly pool?: Readonly<Record<string, unknown>>;
  /** The schema of PostgreSQL that holds romancy's tables; made when it is missing. Default: the first of the search path. */
  readonly schema?: string;
  /** What the names of romancy's tables begin with. Default `romancy_`. */
  readonly tablePrefix?: string;
  /** Whether workers on PostgreSQL hear of each other's news by LISTEN and NOTIFY; else they poll. Default `true`. */
  readonly listenNotify?: boolean;
  /**
   * An instance whose worker has died so many times while it ran it, without that it got any further, is `blocked`.
   * Default 10.
   */
  readonly maxRecoveries?: number;
  /** Workflows that this app runs; `register` adds more. */
  readonly workflows?: readonly AnyWorkflow[];
  /** `false` for a client, which starts, waits and lists, and executes nothing. Default `true`. */
  readonly worker?: boolean;
  /** Unique among the living workers of the database. Default: a random UUID. */
  readonly workerId?: string;
  /** Bring the schema up to date on `start`. When `false`, an old schema is refused. Default `true`. */
  readonly autoMigrate?: boolean;
  /** For all activities; workflows, activities and calls override fields of it. Default: 3 attempts, from 100 ms. */
  readonly defaultRetryPolicy?: RetryPolicy | false;
  /** How long `shutdown` waits for running activities before it aborts them. Default 30 s. */
  readonly shutdownTimeout?: Duration;
  /** Signals of the process, such as `["SIGTERM"]`, at which the app shuts down. Default: none, a library keeps out. */
  readonly shutdownSignals?: readonly NodeJS.Signals[];
  /** Default: the console. */
  readonly logger?: Logger;
  /** Told of what happens: see `Hooks`. One object, or several, which are told one after the other. */
  readonly hooks?: Hooks | readonly Hooks[];
  /**
   * Whether figures are kept, which `app.fetch` answers at `GET /metrics`, as Prometheus reads them. Default `true`; the
   * cost is small: see bench/RESULTS.md.
   */
  readonly metrics?: boolean;
  /** Instances in memory and at work at once; more wait in the database. Default 1,000. */
  readonly maxConcurrentInstances?: number;
  /** Activity bodies running at once; more wait in memory. Default 1,000. */
  readonly maxConcurrentActivities?: number;
  /** Waiting instances kept in memory so that they go on without replay; the others are replayed. Default 1,000. */
  readonly maxParkedInstances?: number;
  /** The largest value that is stored, in bytes of its JSON. Default 2 MB. */
  readonly maxValueBytes?: number;
  /**
   * For how long a published message is kept when nobody has subscribed to its channel, and a competing subscriber may
   * come. Those of competing channels are kept until they are taken. Default 24 h.
   */
  readonly messageRetention?: Duration;
  /** For how long what has ended is kept; see `app.prune` to remove it by hand. Default: instances for ever. */
  readonly retention?: RetentionOptions;
  /** After so long without a sign of life, a worker on another host is taken for dead. Default 15 s. */
  readonly leaseDuration?: Duration;
  /** Between two signs of life; at most a third of `leaseDuration`, which is the default. */
  readonly leaseRenewInterval?: Duration;
  /** Between two looks whether other workers have died, or left something. Default 750 ms. */
  readonly staleWorkerCheckInterval?: Duration;
  /**
   * Where events go that workflows and activities send with `ctx.sendEvent`. A client sends none. `true` is the same as
   * no options; with `false` this worker leaves all of them to others.
   */
  readonly outbox?: OutboxOptions | boolean;
  /** Short for `outbox.brokerUrl`. */
  readonly brokerUrl?: OutboxOptions["brokerUrl"];
  /** Short for `outbox.publisher`. */
  readonly publisher?: OutboxOptions["publisher"];
  /** For `app.fetch` and `app.listen`. */
  readonly http?: HttpOptions;
  /** The door of `romancy/testing`; not for users. */
  readonly "~seams"?: Seams;
}

/** How requests are taken. */
export interface HttpOptions {
  /**
   * Asked of every request but those for health, with a copy whose body may be read, such as to check a signature. Only
   * `true` lets it in: anything else is a 403, and throwing a 500. Default: all may come in.
   */
  readonly authorize?: (request: Request) => boolean | Promise<boolean>;
  /** The largest body, in bytes. Default 1 MB. */
  readonly maxBodyBytes?: number;
  /** After so long without an answer from the database, or from `authorize`, a 500 says to try again. Default 30 s. */
  readonly timeout?: Duration;
}

/** The options with everything known, times in milliseconds. */
export interface ResolvedOptions {
  readonly database: string | PostgresPool | MysqlPool;
  readonly pool: Readonly<Record<string, unknown>>;
  readonly naming: Naming;
  readonly listenNotify: boolean;
  readonly maxRecoveries: number;
  readonly workflows: readonly AnyWorkflow[];
  readonly worker: boolean;
  readonly workerId: string | undefined;
  readonly autoMigrate: boolean;
  readonly defaultRetryPolicy: RetryPolicy | false | undefined;
  readonly shutdownTimeout: number;
  readonly shutdownSignals: readonly NodeJS.Signals[];
  readonly logger: Logger;
  readonly hooks: readonly Hooks[];
  readonly metrics: boolean;
  readonly maxConcurrentInstances: number;
  readonly maxConcurrentActivities: number;
  readonly maxParkedInstances: number;
  readonly maxValueBytes: number;
  readonly messageRetention: number;
  readonly retention: RetentionSettings;
  readonly leaseDuration: number;
  readonly leaseRenewInterval: number;
  readonly staleWorkerCheckInterval: number;
  readonly outbox: OutboxSettings;
  readonly http: HttpSettings;
  readonly seams: Seams;
}

const KNOWN: KnownKeys<RomancyOptions> = {
  database: true,
  pool: true,
  schema: true,
  tablePrefix: true,
  listenNotify: true,
  maxRecoveries: true,
  workflows: true,
  worker: true,
  workerId: true,
  autoMigrate: true,
  defaultRetryPolicy: true,
  shutdownTimeout: true,
  shutdownSignals: true,
  logger: true,
  hooks: true,
  metrics: true,
  maxConcurrentInstances: true,
  maxConcurrentActivities: true,
  maxParkedInstances: true,
  maxValueBytes: true,
  messageRetention: true,
  retention: true,
  leaseDuration: true,
  leaseRenewInterval: true,
  staleWorkerCheckInterval: true,
  outbox: true,
  brokerUrl: true,
  publisher: true,
  http: true,
  "~seams": true,
};

const KNOWN_OF_HTTP: KnownKeys<HttpOptions> = { authorize: true, maxBodyBytes: true, timeout: true };

const FLAGS = ["worker", "autoMigrate", "listenNotify", "metrics"] as const;

const DEFAULTS = {
  workflows: [],
  worker: true,
  autoMigrate: true,
  pool: {},
  listenNotify: true,
  maxRecoveries: 10,
  shutdownTimeout: "30s",
  shutdownSignals: [],
  logger: consoleLogger,
  hooks: [],
  metrics: true,
  maxConcurrentInstances: 1_000,
  maxConcurrentActivities: 1_000,
  maxParkedInstances: 1_000,
  maxValueBytes: DEFAULT_MAX_VALUE_BYTES,
  messageRetention: "24h",
  retention: {},
  leaseDuration: "15s",
  staleWorkerCheckInterval: "750ms",
  outbox: {},
  http: {},
  "~seams": NO_SEAMS,
} as const satisfies Partial<RomancyOptions>;

/** @throws ValidationError */
export function resolveOptions(all: RomancyOptions): ResolvedOptions {
  const options = withoutOriginals(all);
  checkOptions("an app", options, KNOWN);
  const given = { ...DEFAULTS, ...withoutUndefined(options) };
  const database = resolveDatabase(given.database);
  checkFitting(database, options);
  for (const flag of FLAGS) checkFlag(flag, given[flag]);
  checkRetryPolicy("defaultRetryPolicy", given.defaultRetryPolicy);
  const logger = resolveLogger(given.logger);
  warnOfOriginals(all, logger);
  return {
    database,
    pool: given.pool,
    naming: resolveNaming(given),
    listenNotify: given.listenNotify,
    maxRecoveries: checkCount("maxRecoveries", given.maxRecoveries),
    workflows: listOf("workflows", given.workflows),
    worker: given.worker,
    workerId: given.workerId === undefined ? undefined : text("workerId", given.workerId),
    autoMigrate: given.autoMigrate,
    defaultRetryPolicy: given.defaultRetryPolicy,
    shutdownTimeout: timeOf("shutdownTimeout", given.shutdownTimeout, 0),
    shutdownSignals: resolveSignals(given.shutdownSignals),
    logger,
    hooks: resolveHooks(given.hooks),
    metrics: given.metrics,
    maxConcurrentInstances: checkCount("maxConcurrentInstances", given.maxConcurrentInstances),
    maxConcurrentActivities: checkCount("maxConcurrentActivities", given.maxConcurrentActivities),
    maxParkedInstances: checkCount("maxParkedInstances", given.maxParkedInstances, 0),
    maxValueBytes: checkCount("maxValueBytes", given.maxValueBytes),
    messageRetention: toMilliseconds(given.messageRetention, "messageRetention"),
    retention: resolveRetention(given.retention),
    staleWorkerCheckInterval: timeOf("staleWorkerCheckInterval", given.staleWorkerCheckInterval, LEAST_INTERVAL),
    outbox: resolveOutbox(given.outbox, { brokerUrl: given.brokerUrl, publisher: given.publisher }),
    http: resolveHttp(given.http),
    seams: given["~seams"],
    ...resolveLease(given),
  };
}

function resolveDatabase(database: unknown): ResolvedOptions["database"] {
  const given: unknown = database instanceof URL ? database.href : database;
  if (typeof given === "string" && given !== "") return given;
  if (isPool(given)) return given;
  const wrong = given === undefined || given === "" ? "is missing" : "is none that can be used";
  throw new ValidationError(
    `The option \`database\` ${wrong}. Give a file such as "workflow.db", ":memory:", a URL such as ` +
      '"postgres://localhost/app", or a pool of `pg` or `mysql2`; a single connection is not enough.',
  );
}

/** A connection of either has no such member. */
function isPool(given: unknown): given is PostgresPool | MysqlPool {
  return (isObject(given) || typeof given === "function") && ("getConnection" in given || "totalCount" in given);
}

/** What the database would pass over is refused before anything is made. */
function checkFitting(database: ResolvedOptions["database"], { pool, schema }: RomancyOptions): void {
  const kind = kindOf(database);
  if (kind === "sqlite") pathOf(database as string);
  if (schema !== undefined && kind !== undefined && kind !== "postgres") {
    throw new ValidationError("schema is for PostgreSQL alone. Use `tablePrefix` to keep tables apart.");
  }
  if (pool === undefined) return;
  if (!isObject(pool)) throw new ValidationError("pool must be an object: options of `pg` or of `mysql2`.");
  if (kind === "sqlite") throw new ValidationError("pool is for PostgreSQL and MySQL: SQLite has no pool.");
  if (typeof database !== "string") throw new ValidationError("pool is for a URL: a pool of your own has its options.");
}

/** The names go into statements as they are. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;

function resolveNaming({
  tablePrefix = DEFAULT_PREFIX,
  schema,
}: Pick<RomancyOptions, "tablePrefix" | "schema">): Naming {
  for (const [option, name] of Object.entries({ tablePrefix, schema })) {
    if (name === undefined || (typeof name === "string" && IDENTIFIER.test(name))) continue;
    throw new ValidationError(`${option} must be 1 to 40 letters, digits and underscores, and not begin with a digit.`);
  }
  return { prefix: tablePrefix, schema };
}

const DEFAULT_PREFIX = "romancy_";

function resolveHooks(hooks: Hooks | readonly Hooks[]): readonly Hooks[] {
  const all = [hooks].flat();
  const isRight = (one: unknown): boolean => typeof one === "object" && one !== null && !Array.isArray(one);
  if (all.every(isRight)) return all;
  throw new ValidationError("hooks must be an object whose methods are called, or a list of such.");
}

const LEVELS = ["debug", "info", "warn", "error"] as const satisfies readonly (keyof Logger)[];

function resolveLogger(logger: Logger): Logger {
  const missing = LEVELS.find((level) => typeof (logger as Partial<Logger> | null)?.[level] !== "function");
  if (missing === undefined) return logger;
  throw new ValidationError(`logger must have the methods ${LEVELS.join(", ")}; it has no ${missing}.`);
}

/** They end or stop the process before anybody is asked. */
const UNSEEN: ReadonlySet<string> = new Set(["SIGKILL", "SIGSTOP"]);

function resolveSignals(signals: readonly NodeJS.Signals[]): readonly NodeJS.Signals[] {
  for (const signal of listOf("shutdownSignals", signals)) {
    if (!Object.hasOwn(constants.signals, signal)) {
      throw new ValidationError(`shutdownSignals has ${JSON.stringify(signal)}, which is no signal of this system.`);
    }
    if (UNSEEN.has(signal)) throw new ValidationError(`shutdownSignals has ${signal}, which no process can catch.`);
  }
  return signals;
}

function listOf<T>(option: string, given: readonly T[]): readonly T[] {
  if (Array.isArray(given)) return given;
  throw new ValidationError(`${option} must be a list.`);
}

function withoutUndefined(options: RomancyOptions): RomancyOptions {
  const known = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as unknown as RomancyOptions;
}

function resolveLease({
  leaseDuration,
  leaseRenewInterval,
}: Pick<RomancyOptions, "leaseRenewInterval"> & { leaseDuration: Duration }): Pick<
  ResolvedOptions,
  "leaseDuration" | "leaseRenewInterval"
> {
  const duration = timeOf("leaseDuration", leaseDuration, LEAST_LEASE);
  const interval = timeOf("leaseRenewInterval", leaseRenewInterval ?? duration / 3, LEAST_INTERVAL);
  // Rounding may add a millisecond to each third.
  if (interval * 3 > duration + 3) {
    throw new ValidationError(
      `leaseRenewInterval is ${interval} ms; it must be at most a third of leaseDuration (${duration} ms), ` +
        "so that one slow answer does not cost the lease.",
    );
  }
  return { leaseDuration: duration, leaseRenewInterval: interval };
}

/** Milliseconds; one that is shorter ends between two answers of a database that is well. */
const LEAST_LEASE = 100;

/** Milliseconds; looking more often does nothing but look. */
const LEAST_INTERVAL = 10;

/** Milliseconds; a timer takes no more, some 25 days, and ends at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** What a timer is set to, in milliseconds. */
function timeOf(option: string, duration: Duration, least: number): number {
  const time = toMilliseconds(duration, option);
  if (time >= least && time <= LONGEST_TIMER) return time;
  throw new ValidationError(`${option} is ${time} ms; it must be ${least} to ${LONGEST_TIMER} ms.`);
}

/** One mebibyte. */
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

function resolveHttp(options: HttpOptions): HttpSettings {
  checkKeys("http", options, KNOWN_OF_HTTP);
  const { authorize, maxBodyBytes = DEFAULT_MAX_BODY_BYTES, timeout = "30s" } = options;
  if (authorize !== undefined && typeof authorize !== "function") {
    throw new ValidationError("http.authorize must be a function.");
  }
  return {
    authorize,
    maxBodyBytes: checkCount("http.maxBodyBytes", maxBodyBytes),
    timeout: timeOf("http.timeout", timeout, 1),
  };
}

function text(option: string, value: string): string {
  if (typeof value === "string" && value.length > 0 && value.length <= 200) return value;
  throw new ValidationError(`${option} must be a text of 1 to 200 characters.`);
}
