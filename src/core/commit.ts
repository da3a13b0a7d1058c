import type { Action, ChannelMessage, Post, Rejoin } from "./action.ts";
import type { HistoryEvent, MessageAttributes, NewEvent } from "./history.ts";
import type { RetryObstacle } from "./retrying.ts";
import type { InstanceStatus } from "./status.ts";

/**
 * What the engine asks the store to write. The journal gathers changes of many instances and the store applies them in
 * one transaction; each is judged by itself.
 */
export type Change = Create | Advance | Deliver | Publish | Rouse | Cancel | Retry | RetryCompensations;

/** A new instance. */
export interface Create {
  readonly type: "create";
  readonly instance: NewInstance;
  /** What it hears of from its birth; none unless given. */
  readonly subscriptions?: readonly Subscription[];
}

/** A message that was read: its position in the inbox, and when, in epoch milliseconds. */
export interface Read {
  readonly position: number;
  readonly at: number;
}

/** What an instance hears of: events of a type, of one key or of any. */
export interface Subscription {
  readonly type: string;
  /** The event's `subject`; `null` for any. */
  readonly key: string | null;
}

/** A message, put into the inbox of one instance or of all that have subscribed. */
export interface Deliver {
  readonly type: "deliver";
  /** `undefined` for all that hear of it. */
  readonly instanceId: string | undefined;
  readonly message: NewMessage;
}

export interface NewMessage {
  /** The event's type, or the channel. */
  readonly type: string;
  /** The event's `subject`. */
  readonly key: string | null;
  /** The same for every copy of one message, which an instance gets once. */
  readonly fingerprint: string;
  readonly attributes: MessageAttributes;
  /** Encoded text. */
  readonly data: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A message for a channel: put into the inboxes of its subscribers, or kept until one of competing ones takes it. */
export interface Publish {
  readonly type: "publish";
  readonly message: ChannelMessage;
}

/** Calls as many of a channel's competing subscribers that wait as there are messages for them. */
interface Rouse {
  readonly type: "rouse";
  readonly channel: string;
  /** The most that are called. */
  readonly limit: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A request to cancel an instance, or what it went on as. The first one counts. */
export interface Cancel {
  readonly type: "cancel";
  readonly instanceId: string;
  readonly reason: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Has an instance that has failed, or is blocked, or what it went on as, go on. */
export interface Retry {
  readonly type: "retry";
  readonly instanceId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Has the compensations of an instance that has ended, and that failed, run once more. */
export interface RetryCompensations {
  readonly type: "retry_compensations";
  readonly instanceId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What one turn of an instance came to. Applies only while `epoch` is still the instance's (fencing). */
export interface Advance {
  readonly type: "advance";
  readonly instanceId: string;
  readonly epoch: number;
  readonly events: readonly HistoryEvent[];
  /** `undefined` when only history grows. */
  readonly patch: InstancePatch | undefined;
  /** Messages of its inbox that its events answer waits with; none unless given. */
  readonly reads?: readonly Read[];
  /** What it hears of from now on; none unless given. */
  readonly subscriptions?: readonly Subscription[];
  /** What it heard of and was a member of before it failed, once more and in this order; none unless given. */
  readonly rejoins?: readonly Rejoin[];
  /** What takes place with it, in this order; none unless given. */
  readonly actions?: readonly Action[];
  /** What an activity has sent; if one cannot be delivered, nothing of the advance applies. None unless given. */
  readonly posts?: readonly Post[];
  /** Whether its inbox, subscriptions and memberships end with it. */
  readonly clears?: boolean;
  /** Whether the run knows of a request to cancel the instance; if not, and there is one, it does not end. */
  readonly knowsOfCancel?: boolean;
  /** Whether what the code has done is being undone. */
  readonly isCompensating?: boolean;
  /** Of one that has a parent and ends: the fingerprint under which the parent, if it waits, is told. */
  readonly report?: string | undefined;
}

export interface NewInstance {
  readonly id: string;
  readonly workflow: string;
  readonly status: InstanceStatus;
  /** Encoded list of arguments. */
  readonly input: string;
  /** JSON object of strings, or `null` for none. */
  readonly tags: string | null;
  readonly priority: number;
  /** The workflow's version; `null` for none. */
  readonly version: string | null;
  /** JSON object of strings: the trace context of whoever starts it, or `null` for none. */
  readonly traceContext: string | null;
  /** Set when the creating worker runs it at once; the epoch is then 1. */
  readonly workerId: string | null;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** The instance that one goes on as. Its workflow, tags, priority and trace context are the same. */
interface Successor {
  readonly id: string;
  /** Encoded list of arguments. */
  readonly input: string;
  /** Of the workflow as it is now; `null` for none. */
  readonly version: string | null;
  /** Who runs it at once; the epoch is then 1. */
  readonly workerId: string;
}

/** How an instance's row changes with a turn; the status comes from `transition`. Times in epoch milliseconds. */
export type InstancePatch =
  | { readonly event: "complete"; readonly at: number; readonly output: string }
  | { readonly event: "fail"; readonly at: number; readonly error: string; readonly compensationErrors: string | null }
  | {
      readonly event: "cancel";
      readonly at: number;
      /** Encoded text of what the code threw after it was told; `null` for nothing else. */
      readonly error: string | null;
      /** Encoded list, `null` for none. */
      readonly compensationErrors: string | null;
    }
  /** What it has done is undone from here on; `error` as it will be at the end. */
  | { readonly event: "compensate"; readonly at: number; readonly error: string | null }
  | { readonly event: "block"; readonly at: number; readonly error: string }
  /** It goes on as another, with a history of its own; what was sent to it and what it hears of go along. */
  | { readonly event: "recur"; readonly at: number; readonly successor: Successor }
  /** It goes on; what was held against it, that owners died while they ran it, is forgiven. */
  | { readonly event: "progress"; readonly at: number; readonly error: string | null }
  | {
      readonly event: "suspend";
      readonly at: number;
      readonly error: string | null;
      /** When to look at it again; `null` for only when something arrives. */
      readonly wakeAt: number | null;
      /** Deliveries that this run has seen; if there are more by now, it is looked at again at once. */
      readonly signals: number;
    };

/** How a change fared. */
export type ChangeResult =
  | {
      readonly type: "applied";
      /** What came of the actions, in their order; `undefined` where nothing did, and nothing is recorded. */
      readonly answers?: readonly (NewEvent | undefined)[];
      /** How many instances were sent something, or called to take it; none unless given. */
      readonly receivers?: number;
      /** The channels with a message that nobody was sent or called for; none unless given. */
      readonly unheard?: readonly string[];
    }
  /** A message is in the inboxes of so many instances, or kept, and so many were called to take it. */
  | { readonly type: "delivered"; readonly receivers: number }
  /** The one instance that it was for does not exist, or has ended. */
  | { readonly type: "undeliverable"; readonly instanceId: string; readonly status: InstanceStatus | undefined }
  /** An instance cannot be retried; nothing was changed. */
  | {
      readonly type: "not_retryable";
      readonly instanceId: string;
      readonly status: InstanceStatus;
      readonly obstacle: RetryObstacle;
    }
  /** Somebody else owns the instance by now: the run is to be dropped. */
  | { readonly type: "fenced" }
  /** A request to cancel the instance, which the run has not seen, came first: nothing of the advance applies. */
  | { readonly type: "called_off" }
  /** The id to create exists. */
  | { readonly type: "exists"; readonly workflow: string; readonly input: string }
  /** The database refused this change; the others of the batch stand. */
  | { readonly type: "refused"; readonly error: unknown };
