import type { RetryPolicy } from "../core/retry.ts";
import type { Store, WorkerRecord } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { AttemptEnvironment } from "./activity.ts";
import type { Clock } from "./clock.ts";
import type { Journal } from "./journal.ts";
import type { News } from "./presence.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import type { Results } from "./results.ts";
import type { HookRunner } from "./watching/hooks.ts";

export interface WorkerOptions {
  readonly store: Store;
  readonly journal: Journal;
  readonly results: Results;
  readonly clock: Clock;
  readonly log: Logger;
  readonly record: WorkerRecord;
  readonly identity: ProcessIdentity;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  readonly environment: AttemptEnvironment;
  readonly hooks: HookRunner | undefined;
  readonly defaultRetryPolicy: RetryPolicy | false | undefined;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly maxConcurrentInstances: number;
  readonly maxConcurrentActivities: number;
  readonly maxParkedInstances: number;
  readonly leaseDuration: number;
  readonly leaseRenewInterval: number;
  readonly staleWorkerCheckInterval: number;
  readonly maxRecoveries: number;
  /** For how long, in milliseconds, the connection has lasted by which others know this worker. */
  readonly steadyFor: () => number;
  /** Whether that connection is broken at this moment. */
  readonly isCutOff: () => boolean;
  /** Tells other processes. */
  readonly announce: (news: News) => void;
  /** It has found work. */
  readonly onWork: () => void;
  /** Its lease is held again; it is lost. */
  readonly onHeld: () => void;
  readonly onLost: (reason: string) => void;
  /** An event for a broker, which nobody sends, is due then, in epoch milliseconds. */
  readonly onEventDue: (time: number) => void;
  /** There are messages for instances, here or elsewhere. */
  readonly onSent: () => void;
  /** A message was published, and nobody was called for it. */
  readonly rouse: (channel: string) => void;
}
