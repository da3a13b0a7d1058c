import { type Duration, toMilliseconds } from "../../core/duration.ts";
import { ValidationError } from "../../core/errors.ts";
import { checkKeys, type KnownKeys } from "../../core/known-keys.ts";
import { checkRetryPolicy, type ResolvedRetryPolicy, type RetryPolicy, resolveRetryPolicy } from "../../core/retry.ts";
import type { BrokerSettings } from "../../http/port.ts";
import type { Publisher, PublishFunction } from "../../workflow/outbox.ts";
import { checkCount } from "../check-filter.ts";

/** How events are sent to a broker. A worker without `brokerUrl` and `publisher` leaves that to others. */
export interface OutboxOptions {
  /** Where events go by HTTP POST, as CloudEvents; needs the package `cloudevents`. Instead of `publisher`. */
  readonly brokerUrl?: string | URL;
  /** Sends them elsewhere: a function, or a publisher such as that of `romancy/outbox/nats`. Instead of `brokerUrl`. */
  readonly publisher?: PublishFunction | Publisher;
  /** How HTTP carries them: attributes in headers, or all of the event as JSON. Default `"binary"`. */
  readonly mode?: "binary" | "structured";
  /** Sent along by HTTP, such as `authorization`; a function is asked before each try. Default: none. */
  readonly headers?: HeaderSource;
  /** After so long without an answer a try has failed, and its signal is aborted. Default 30 s. */
  readonly timeout?: Duration;
  /** Events that a worker claims at once, and holds at most; more wait in the database. Default 100. */
  readonly batchSize?: number;
  /** Events that are on their way at once; those of one instance go one after the other. Default 50. */
  readonly concurrency?: number;
  /**
   * When an event is sent again that a broker did not take, and how often: then it is `failed`. Default: 100 attempts,
   * from 500 ms, doubling, at most 5 minutes, half of it jitter.
   */
  readonly retry?: RetryPolicy | false;
  /** An event that could not be sent for so long is `expired`; `Infinity` for never. Default 24 h. */
  readonly maxAge?: Duration;
  /** For how long a published event is kept; what was given up goes by `retention.givenUpEvents`. Default 24 h. */
  readonly retention?: Duration;
}

type HeaderSource = Readonly<Record<string, string>> | (() => Record<string, string> | Promise<Record<string, string>>);

/** How events are relayed, times in milliseconds. */
export interface RelaySettings {
  readonly timeout: number;
  readonly batchSize: number;
  readonly concurrency: number;
  readonly retry: ResolvedRetryPolicy;
  readonly maxAge: number;
}

export interface OutboxSettings extends RelaySettings {
  /** `undefined` when nothing is sent from here. */
  readonly target: Publisher | BrokerSettings | undefined;
  readonly retention: number;
}

const KNOWN: KnownKeys<OutboxOptions> = {
  brokerUrl: true,
  publisher: true,
  mode: true,
  headers: true,
  timeout: true,
  batchSize: true,
  concurrency: true,
  retry: true,
  maxAge: true,
  retention: true,
};

const RETRY: RetryPolicy = { maxAttempts: 100, initialInterval: 500, maxInterval: "5m", multiplier: 2, jitter: 0.5 };

/** Where events go, when that is not said within the outbox's own options. */
type ShortForm = { readonly [Name in "brokerUrl" | "publisher"]: OutboxOptions[Name] | undefined };

/** @throws ValidationError */
export function resolveOutbox(all: OutboxOptions | boolean, short: ShortForm): OutboxSettings {
  if (all === false) return { ...resolveOutbox({}, short), target: undefined };
  const given = all === true ? {} : all;
  checkKeys("outbox", given, KNOWN);
  const options = { ...given };
  for (const name of ["brokerUrl", "publisher"] as const) {
    if (short[name] === undefined) continue;
    if (given[name] !== undefined)
      throw new ValidationError(`${name} and outbox.${name} are the same. Give one of them.`);
    Object.assign(options, { [name]: short[name] });
  }
  const { timeout = "30s", batchSize = 100, concurrency = 50, retry, maxAge = "24h", retention = "24h" } = options;
  checkRetryPolicy("outbox.retry", retry);
  const settings = {
    timeout: toMilliseconds(timeout, "outbox.timeout"),
    batchSize: checkCount("outbox.batchSize", batchSize),
    concurrency: checkCount("outbox.concurrency", concurrency),
    retry: resolveRetryPolicy([retry, RETRY]),
    maxAge: maxAge === Infinity ? Infinity : toMilliseconds(maxAge, "outbox.maxAge"),
    retention: toMilliseconds(retention, "outbox.retention"),
  };
  if (settings.timeout === 0) throw new ValidationError("outbox.timeout must be more than 0.");
  return { ...settings, target: targetOf(options) };
}

function targetOf(options: OutboxOptions): OutboxSettings["target"] {
  const { brokerUrl, publisher } = options;
  if (brokerUrl !== undefined && publisher !== undefined) {
    throw new ValidationError("The outbox has a brokerUrl and a publisher. Give one of them.");
  }
  if (brokerUrl !== undefined) return brokerOf(options, brokerUrl);
  for (const name of ["mode", "headers"] as const) {
    if (options[name] !== undefined) throw new ValidationError(`outbox.${name} is for a brokerUrl, and there is none.`);
  }
  if (publisher === undefined) return undefined;
  if (typeof publisher === "function") return { publish: publisher };
  if (typeof publisher?.publish === "function") return publisher;
  throw new ValidationError("outbox.publisher must be a function, or have a function `publish`.");
}

const MODES: ReadonlySet<unknown> = new Set(["binary", "structured"]);

function brokerOf({ mode = "binary", headers = {} }: OutboxOptions, brokerUrl: string | URL): BrokerSettings {
  if (!MODES.has(mode)) throw new ValidationError(`outbox.mode is ${mode}; it must be ${[...MODES].join(" or ")}.`);
  if (typeof headers === "object") checkHeaders(headers);
  else if (typeof headers !== "function") throw new ValidationError("outbox.headers must be an object or a function.");
  return { url: urlOf(brokerUrl), mode, headers: typeof headers === "function" ? headers : () => headers };
}

function urlOf(brokerUrl: string | URL): string {
  const url = URL.parse(String(brokerUrl));
  if (url?.protocol === "http:" || url?.protocol === "https:") {
    // `fetch` takes none with these.
    if (url.username === "" && url.password === "") return url.href;
    throw new ValidationError(
      "outbox.brokerUrl has a user and a password: give `headers` with `authorization` instead.",
    );
  }
  throw new ValidationError("outbox.brokerUrl must be a URL that begins with http:// or https://.");
}

function checkHeaders(headers: unknown): void {
  try {
    void new Headers(headers as Record<string, string>);
  } catch (error) {
    throw new ValidationError(`outbox.headers are no headers: ${(error as Error).message}`);
  }
}
