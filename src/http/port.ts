/** What HTTP needs of the app. */

import type { TraceContext } from "../core/trace-context.ts";
import type { PublishOptions, SentMessage } from "../workflow/channels.ts";
import type { EventInput } from "../workflow/events.ts";
import type { Logger } from "../workflow/logger.ts";

/** Answers a request of the Web's standard; never rejects. */
export type Fetch = (request: Request) => Promise<Response>;

/** An event that can be stored and is not yet. */
export interface PreparedEvent {
  readonly id: string;
  /** Resolves when it is durable. */
  readonly send: () => Promise<void>;
}

export interface HttpApp {
  /** Rejects when the event, or what it would start, is not valid; stores nothing. */
  prepareEvent(event: EventInput): Promise<PreparedEvent>;
  /** Each resolves when the message is durable. */
  publish(channel: string, data: unknown, options: PublishOptions): Promise<SentMessage>;
  sendTo(instanceId: string, channel: string, data: unknown, options: PublishOptions): Promise<SentMessage>;
  /** Resolves when the request is durable. */
  cancel(instanceId: string, reason: string | undefined): Promise<void>;
  /** As Prometheus reads it; `undefined` when no figures are kept. */
  metrics(): string | undefined;
  /** Runs it in the trace that came with a request. */
  within<T>(context: TraceContext | undefined, run: () => Promise<T>): Promise<T>;
  /** Rejects when the app is not started, or the database does not answer. */
  ping(): Promise<unknown>;
}

export interface HttpSettings {
  readonly authorize: ((request: Request) => boolean | Promise<boolean>) | undefined;
  readonly maxBodyBytes: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Where events of the outbox go by HTTP. */
export interface BrokerSettings {
  readonly url: string;
  readonly mode: "binary" | "structured";
  /** Asked before each request. */
  readonly headers: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
}

/** What answers are made with. */
export interface Context extends HttpSettings {
  readonly app: HttpApp;
  readonly log: Logger;
}
