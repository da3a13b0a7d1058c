import type { ChannelMode, MessageAttributes } from "./history.ts";

/** A message of a channel. */
export interface ChannelMessage {
  readonly channel: string;
  /** The same for every copy of one message, which is delivered once. */
  readonly fingerprint: string;
  /** All but the data: see `channelAttributes`. */
  readonly attributes: MessageAttributes;
  /** Encoded text. */
  readonly data: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** An event that leaves the database, for a broker. */
export interface OutgoingEvent {
  readonly id: string;
  /** All but the data: a CloudEvent's. */
  readonly attributes: MessageAttributes;
  /** The body as it is sent: a text, or bytes in base64; `null` for none. */
  readonly body: string | null;
  readonly isBinary: boolean;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** An event for a broker. It goes into the outbox, and out when it is committed. */
interface Emit {
  readonly type: "emit";
  readonly event: OutgoingEvent;
}

/** What is on its way: a message to a channel's subscribers, to one instance or to all members of a group; an event. */
export type Post =
  | Emit
  | { readonly type: "publish"; readonly message: ChannelMessage }
  | { readonly type: "send"; readonly instanceId: string; readonly message: ChannelMessage }
  | { readonly type: "publish_to_group"; readonly group: string; readonly message: ChannelMessage };

/** What a workflow asks the database itself for. It takes place within the commit that records it, or neither does. */
export type ActionRequest =
  | Post
  | { readonly type: "subscribe"; readonly channel: string; readonly mode: ChannelMode }
  | { readonly type: "unsubscribe"; readonly channel: string }
  /** Begins to wait for a message, if the instance has subscribed. */
  | { readonly type: "receive"; readonly channel: string; readonly deadline: number | null }
  /** Takes a message of a competing channel, if there is one. */
  | {
      readonly type: "take";
      readonly channel: string;
      /** Whether it is to be told of the next message when there is none. */
      readonly waits: boolean;
    }
  | { readonly type: "join" | "leave" | "members"; readonly group: string };

/** An action with the place that is kept for its record. */
export interface Action {
  readonly seq: number;
  readonly operationId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly request: ActionRequest;
}
