import { DEFAULT_MAX_VALUE_BYTES } from "../core/codec.ts";
import { type Duration, toMilliseconds } from "../core/duration.ts";
import { ValidationError } from "../core/errors.ts";
import { type RetryPolicy, resolveRetryPolicy } from "../core/retry.ts";
import type { HttpSettings } from "../http/port.ts";
import type { MysqlPool, Naming, PostgresPool } from "../store/store.ts";
import type { Hooks } from "../workflow/hooks.ts";
import type { Logger } from "../workflow/logger.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { checkCount } from "./check-filter.ts";
import { consoleLogger } from "./log.ts";
import { type RetentionOptions, type RetentionSettings, resolveRetention } from "./operating/retention-options.ts";
import { type OutboxOptions, type OutboxSettings, resolveOutbox } from "./outbox/outbox-options.ts";
import { NO_SEAMS, type Seams } from "./seams.ts";

/** What an app can be told. Only `database` is needed. */
export interface RomancyOptions {
  /**
   * A SQLite file (`workflow.db`, `file:workflow.db`, `sqlite:workflow.db`) or `:memory:`; a URL that begins with
   * `postgres://`, `postgresql://`, `mysql://` or `mariadb://`; or a pool of your own, made by `pg` or `mysql2`, which
   * is left open at the end and of which romancy keeps five connections.
   */
  readonly database: string | PostgresPool | MysqlPool;
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
  /** Between two signs of life; at most a third of `leaseDuration`. Default 5 s. */
  readonly leaseRenewInterval?: Duration;
  /** Between two looks whether other workers have died, or left something. Default 750 ms. */
  readonly staleWorkerCheckInterval?: Duration;
  /** Where events go that workflows and activities send with `ctx.sendEvent`. A client sends none. */
  readonly outbox?: OutboxOptions;
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

const DEFAULTS = {
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
export function resolveOptions(options: RomancyOptions): ResolvedOptions {
  const given = { ...DEFAULTS, ...withoutUndefined(options) };
  checkDatabase(given.database);
  resolveRetryPolicy([given.defaultRetryPolicy]);
  return {
    database: given.database,
    pool: given.pool,
    naming: resolveNaming(given),
    listenNotify: given.listenNotify,
    maxRecoveries: checkCount("maxRecoveries", given.maxRecoveries),
    worker: given.worker,
    workerId: given.workerId === undefined ? undefined : text("workerId", given.workerId),
    autoMigrate: given.autoMigrate,
    defaultRetryPolicy: given.defaultRetryPolicy,
    shutdownTimeout: toMilliseconds(given.shutdownTimeout, "shutdownTimeout"),
    shutdownSignals: given.shutdownSignals,
    logger: given.logger,
    hooks: resolveHooks(given.hooks),
    metrics: given.metrics,
    maxConcurrentInstances: checkCount("maxConcurrentInstances", given.maxConcurrentInstances),
    maxConcurrentActivities: checkCount("maxConcurrentActivities", given.maxConcurrentActivities),
    maxParkedInstances: checkCount("maxParkedInstances", given.maxParkedInstances, 0),
    maxValueBytes: checkCount("maxValueBytes", given.maxValueBytes),
    messageRetention: toMilliseconds(given.messageRetention, "messageRetention"),
    retention: resolveRetention(given.retention),
    staleWorkerCheckInterval: toMilliseconds(given.staleWorkerCheckInterval, "staleWorkerCheckInterval"),
    outbox: resolveOutbox(given.outbox, { brokerUrl: given.brokerUrl, publisher: given.publisher }),
    http: resolveHttp(given.http),
    seams: given["~seams"],
    ...resolveLease(given),
  };
}

function checkDatabase(database: unknown): void {
  if (typeof database === "string" && database !== "") return;
  const isPool =
    typeof database === "object" && database !== null && ("getConnection" in database || "totalCount" in database);
  if (isPool) return;
  throw new ValidationError(
    'The option `database` is missing. Give a file such as "workflow.db", ":memory:", a URL such as ' +
      '"postgres://localhost/app", or a pool of `pg` or `mysql2`.',
  );
}

/** The names go into statements as they are. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;

function resolveNaming({
  tablePrefix = DEFAULT_PREFIX,
  schema,
}: Pick<RomancyOptions, "tablePrefix" | "schema">): Naming {
  for (const [option, name] of Object.entries({ tablePrefix, schema })) {
    if (name === undefined || IDENTIFIER.test(name)) continue;
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
  const duration = toMilliseconds(leaseDuration, "leaseDuration");
  const interval = toMilliseconds(leaseRenewInterval ?? duration / 3, "leaseRenewInterval");
  // Rounding may add a millisecond to each third.
  if (interval * 3 > duration + 3) {
    throw new ValidationError(
      `leaseRenewInterval is ${interval} ms; it must be at most a third of leaseDuration (${duration} ms), ` +
        "so that one slow answer does not cost the lease.",
    );
  }
  return { leaseDuration: duration, leaseRenewInterval: interval };
}

/** One mebibyte. */
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

function resolveHttp({ authorize, maxBodyBytes = DEFAULT_MAX_BODY_BYTES, timeout = "30s" }: HttpOptions): HttpSettings {
  if (authorize !== undefined && typeof authorize !== "function") {
    throw new ValidationError("http.authorize must be a function.");
  }
  return {
    authorize,
    maxBodyBytes: checkCount("http.maxBodyBytes", maxBodyBytes),
    timeout: toMilliseconds(timeout, "http.timeout"),
  };
}

function text(option: string, value: string): string {
  if (typeof value === "string" && value.length > 0 && value.length <= 200) return value;
  throw new ValidationError(`${option} must be a text of 1 to 200 characters.`);
}
