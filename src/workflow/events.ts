import type { Duration } from "../core/duration.ts";
import type { Schema } from "./schema.ts";

/** What all events have that are sent: CloudEvents (https://github.com/cloudevents/spec, version 1.0). */
interface EventFields {
  /** What happened, such as `payment.completed`; at most 200 characters. */
  readonly type: string;
  /** What it is about: the `key` by which it is waited for; at most 200 characters. */
  readonly subject?: string;
  /** When it happened: a `Date`, or a text of RFC 3339. */
  readonly time?: Date | string;
  readonly data?: unknown;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  /** Extensions: names of lower-case letters and digits, values of text, number or boolean. */
  readonly [extension: string]: unknown;
}

/** An event that is sent to instances. */
export interface EventInput extends EventFields {
  /** Who says so: a URI or a name. */
  readonly source: string;
  /** Unique within the source; one of the same source and id is delivered once. Default: a UUID. */
  readonly id?: string;
}

/**
 * An event for a broker. Its data is plain JSON, where a `Date` becomes a text; a text, for a `datacontenttype` other
 * than JSON; or a `Uint8Array`.
 */
export interface OutgoingEventInput extends EventFields {
  /** Who says so: a URI or a name. Default: `romancy/` and the workflow's name. */
  readonly source?: string;
  /**
   * Unique within the source; consumers deduplicate by it. At most 1,000 characters. Default: the instance's id and which
   * call of `sendEvent` it is, such as `ORD-1/send_event:1` or `ORD-1/charge:1/1`.
   */
  readonly id?: string;
}

/** An event that was waited for. */
export interface ReceivedEvent<T> {
  readonly type: string;
  readonly source: string;
  readonly id: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time?: string;
  readonly datacontenttype?: string;
  readonly dataschema?: string;
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
  readonly data: T;
}

export interface WaitEventOptions<T> {
  /** After so long an `EventTimeoutError` is thrown; the deadline is fixed at the first call. Default: none. */
  readonly timeout?: Duration;
  /** Only events whose `subject` is this. Default: any. */
  readonly key?: string;
  /** Checks the data, which becomes what the schema gives back. */
  readonly schema?: Schema<T>;
}

/** Events that an instance hears of from its birth: of a type, or those of a type whose subject is made of the arguments. */
export type EventSubscription<Args extends readonly unknown[]> =
  | string
  | { readonly type: string; key(...args: Args): string };
