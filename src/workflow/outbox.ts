import type { OutgoingEventInput, ReceivedEvent } from "./events.ts";

/** What sends events to a broker: the context of a workflow or an activity. */
export interface EventSender {
  /**
   * Puts an event into the outbox, in the very transaction that records this; workers that are told of a broker send it
   * there, at least once and with the same id each time. Events of one instance go out in their order.
   *
   * @throws ValidationError when it is no CloudEvent, SerializationError when the data cannot be sent or is too large
   * @example
   * await ctx.sendEvent({ type: "order.shipped", subject: orderId, data: { orderId, carrier: "ACME" } });
   */
  sendEvent(event: OutgoingEventInput): Promise<SentEvent>;
}

/** An event that will be sent. */
export interface SentEvent {
  readonly id: string;
}

/** One try to send an event. */
export interface Delivery {
  /** The instance that the event comes from. */
  readonly instanceId: string;
  /** Counted from 1; tries that were cut off by a crash are not counted. */
  readonly attempt: number;
  /** Aborted after the option `timeout`, when the app shuts down without waiting longer, and when the lease is lost. */
  readonly signal: AbortSignal;
}

/**
 * Sends an event to a broker, and resolves when the broker has it. When it throws, the event is sent again later, at the
 * time that a `PublishError` names if it does; after a `TerminalError` it is `invalid` and not sent again.
 *
 * @example
 * const publish: PublishFunction = async (event, { signal }) => {
 *   await producer.send({ topic: event.type, messages: [{ key: event.subject, value: JSON.stringify(event) }] });
 * };
 */
export type PublishFunction = (event: ReceivedEvent<unknown>, delivery: Delivery) => void | Promise<void>;

/** A publisher that keeps something open. */
export interface Publisher {
  readonly publish: PublishFunction;
  /** Called when the app has shut down. It may be used again later, when the app is started again. */
  close?(): Promise<void>;
}

/** How an event of the outbox stands. */
export type OutboxStatus =
  /** To be sent, or to be sent again. */
  | "pending"
  /** The broker has it. */
  | "published"
  /** The broker has refused it for good: it is not sent again. */
  | "invalid"
  /** It was sent as often as the options allow, in vain. */
  | "failed"
  /** It could not be sent for longer than `maxAge`. */
  | "expired";

/** An event of the outbox. */
export interface OutboxEntry {
  readonly id: string;
  readonly instanceId: string;
  readonly status: OutboxStatus;
  readonly event: ReceivedEvent<unknown>;
  /** How often it was sent. */
  readonly attempts: number;
  /** The error of the last try that failed. */
  readonly lastError: string | undefined;
  readonly createdAt: Date;
  /** When it is sent next, at the earliest; only while it is `pending`. */
  readonly nextAttemptAt: Date | undefined;
  readonly publishedAt: Date | undefined;
}

export interface OutboxFilter {
  readonly status?: OutboxStatus;
  readonly instanceId?: string;
  /** 1 to 1,000. Default 50. */
  readonly limit?: number;
  /** `nextPageToken` of the page before, as it is. */
  readonly pageToken?: string;
}

export interface OutboxPage {
  /** Oldest first. */
  readonly events: readonly OutboxEntry[];
  readonly hasMore: boolean;
  readonly nextPageToken?: string;
}

/** Which events to send again; all that are `invalid`, `failed` or `expired` unless more is said. */
export interface OutboxRetryFilter {
  /** `pending` for those that wait for their next try. */
  readonly status?: Exclude<OutboxStatus, "published">;
  readonly instanceId?: string;
}

/** What an app can do with events for brokers. */
export interface Outbox {
  /**
   * Events, oldest first, page by page.
   *
   * @throws ValidationError
   * @example
   * for (const { id, lastError } of (await app.outbox.list({ status: "failed" })).events) console.log(id, lastError);
   */
  list(filter?: OutboxFilter): Promise<OutboxPage>;
  /**
   * Has events sent once more, at once and with their attempts and age counted anew: those of an id, or of a filter.
   * What was given up before may come behind later events of its instance.
   *
   * @returns how many
   * @throws ValidationError
   * @example
   * await app.outbox.retry({ status: "failed" });
   */
  retry(which?: string | OutboxRetryFilter): Promise<number>;
}
