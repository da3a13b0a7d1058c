import type { Duration } from "../core/duration.ts";
import type { Schema } from "./schema.ts";

export type { ChannelMode } from "../core/history.ts";

/** A message of a channel. */
export interface ReceivedMessage<T> {
  readonly id: string;
  readonly channel: string;
  readonly data: T;
  /** What the sender put beside the data. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The instance that sent it, if one did. */
  readonly senderInstanceId: string | undefined;
  readonly publishedAt: Date;
}

export interface ReceiveOptions<T> {
  /** After so long a `ChannelTimeoutError` is thrown; the deadline is fixed at the first call. Default: none. */
  readonly timeout?: Duration;
  /** Checks the data, which becomes what the schema gives back. */
  readonly schema?: Schema<T>;
}

export interface PublishOptions {
  /** Goes along with the data; plain JSON. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Of messages of one channel with the same id one is delivered. Default: a UUID. At most 200 characters. */
  readonly id?: string;
}

/** A message that was sent. */
export interface SentMessage {
  readonly id: string;
}

/** What sends messages: a workflow's context, an activity's context, an app. */
export interface MessageSender {
  /**
   * Sends a message to all subscribers of a broadcast channel, or to one of those of a competing channel.
   *
   * @throws SerializationError when the data cannot be stored
   * @example
   * await ctx.publish("prices", { symbol: "ABC", price: 12 }, { metadata: { region: "eu" } });
   */
  publish(channel: string, data: unknown, options?: PublishOptions): Promise<SentMessage>;
  /**
   * Sends a message to one instance, or to the one that it went on as. It is kept until the instance receives it from
   * the channel.
   *
   * @throws InstanceNotFoundError, InstanceFinishedError
   */
  sendTo(instanceId: string, channel: string, data: unknown, options?: PublishOptions): Promise<SentMessage>;
}
