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

/** What lasts as long as the instance: it hears of a channel, or is a member of a group. */
type Join =
  | { readonly type: "subscribe"; readonly channel: string; readonly mode: ChannelMode }
  | { readonly type: "join"; readonly group: string };

/** It begins, or it ends. */
export type Membership =
  | Join
  | { readonly type: "unsubscribe"; readonly channel: string }
  | { readonly type: "leave"; readonly group: string };

/** What an instance is to hear of and belong to once more; events of one key, or of any. */
export type Rejoin = Join | { readonly type: "hear"; readonly event: string; readonly key: string | null };

/** What a workflow asks the database itself for. It takes place within the commit that records it, or neither does. */
export type ActionRequest =
  | Post
  | Membership
  /** Begins to wait for a message, if the instance has subscribed. */
  | { readonly type: "receive"; readonly channel: string; readonly deadline: number | null }
  /** Takes a message of a competing channel, if there is one. */
  | {
      readonly type: "take";
      readonly channel: string;
      /** Whether it is to be told of the next message when there is none. */
      readonly waits: boolean;
    }
  | { readonly type: "members"; readonly group: string }
  /** Starts a child; `awaits` when the operation's answer is the child's end. */
  | { readonly type: "start_child"; readonly child: NewChild; readonly awaits: boolean }
  /** Begins to wait for the end of a child. */
  | {
      readonly type: "await_child";
      readonly childId: string;
      readonly workflow: string;
      /** Epoch milliseconds; `null` for none. */
      readonly deadline: number | null;
    }
  /** Has what a child has done undone, and waits for that. */
  | {
      readonly type: "undo_child";
      readonly childId: string;
      readonly workflow: string;
      /** Whether those of its compensations that have failed are run once more. */
      readonly again: boolean;
    }
  | { readonly type: "cancel"; readonly instanceId: string; readonly reason: string | null };

/** A child that is to be started. */
interface NewChild {
  readonly id: string;
  readonly workflow: string;
  /** Encoded list of arguments. */
  readonly input: string;
  /** JSON object of strings, or `null` for none. */
  readonly tags: string | null;
  readonly priority: number;
  /** The workflow's version; `null` for none. */
  readonly version: string | null;
  /** JSON object of strings: the trace context of its parent, or `null` for none. */
  readonly traceContext: string | null;
  /** Whether it goes on when its parent is cancelled or fails. */
  readonly isDetached: boolean;
  /** What it hears of from its birth. */
  readonly subscriptions: readonly { readonly type: string; readonly key: string | null }[];
}

/** An action with the place that is kept for its record. */
export interface Action {
  readonly seq: number;
  readonly operationId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly request: ActionRequest;
}
