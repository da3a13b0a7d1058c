/** The part of the port that is about events for brokers. Each method is one transaction. */
import type { OutgoingEvent } from "../core/action.ts";

/** An event that is the worker's to send. */
export interface ClaimedEvent extends Pick<OutgoingEvent, "attributes" | "body" | "isBinary"> {
  readonly position: number;
  readonly instanceId: string;
  /** How often it was sent. */
  readonly attempts: number;
  /** For how long, in milliseconds, it has been to be sent. */
  readonly age: number;
  /** The fencing token of this ownership. */
  readonly token: string;
}

/** What became of a claimed event. Applies only while its token is still the event's. */
export type Settlement = Pick<ClaimedEvent, "position" | "token" | "instanceId"> &
  (
    | { readonly type: "published" }
    /** It was not sent; it can be in so many milliseconds. */
    | { readonly type: "released"; readonly delay: number }
    | {
        readonly type: "failed";
        /** What it is from now on; `pending` to be sent again. */
        readonly status: "pending" | "invalid" | "failed" | "expired";
        readonly attempts: number;
        /** `null` when it was not tried. */
        readonly error: string | null;
        /** Milliseconds until it may be sent again. */
        readonly delay: number;
      }
  );

export interface OutboxRecord extends Omit<OutgoingEvent, "at"> {
  readonly position: number;
  readonly instanceId: string;
  readonly status: string;
  readonly attempts: number;
  /** Epoch milliseconds, as the others. */
  readonly nextAt: number;
  readonly createdAt: number;
  readonly publishedAt: number | null;
  readonly lastError: string | null;
}

export interface OutboxListFilter {
  readonly status: string | undefined;
  readonly instanceId: string | undefined;
  /** Only events behind this position. */
  readonly after: number;
  readonly limit: number;
}

export interface OutboxRetry {
  readonly statuses: readonly string[];
  readonly id: string | null;
  readonly instanceId: string | null;
}

export interface StoredOutbox {
  /**
   * Makes events the worker's that are due and nobody's, in the order of their instances: none before all earlier ones of
   * its instance are settled, or the worker's too. When it rejects, it may have done so: see `free`.
   *
   * @param held positions of what is the worker's already
   */
  claim(workerId: string, token: string, limit: number, held: ReadonlySet<number>): Promise<readonly ClaimedEvent[]>;
  /** Gives back what was claimed by the token. */
  free(workerId: string, token: string): Promise<void>;
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** When the next one that is nobody's is due, in epoch milliseconds; `undefined` for never. */
  nextDue(): Promise<number | undefined>;
  /** In order. */
  list(filter: OutboxListFilter): Promise<OutboxRecord[]>;
  /** Has events sent as if for the first time; tells how many. */
  retry(which: OutboxRetry): Promise<number>;
  /** Removes some that were published before that time; tells whether more may be left. */
  forget(publishedBefore: number): Promise<boolean>;
}
