import type { Operations, WorkerStanding } from "../../store/store.ts";
import { isGone, ownIdentity, type ProcessIdentity } from "../process-identity.ts";

/** A worker, as others see it. */
export interface WorkerInfo {
  readonly id: string;
  /** The name of its host. */
  readonly host: string;
  readonly pid: number;
  readonly startedAt: Date;
  /** Until when its instances are its own, by the database's clock, unless it gives another sign of life. */
  readonly leaseUntil: Date;
  /** Whether its connection holds the lock by which others see that it lives; `none` where there are no such locks. */
  readonly lock: "held" | "lost" | "none";
  /** Instances that it holds at this moment. */
  readonly instances: number;
  /** Whether others must take it for alive. One that is not is removed by the next worker that looks around. */
  readonly isAlive: boolean;
}

/** Oldest first. */
export async function listWorkers(operations: Operations): Promise<WorkerInfo[]> {
  const own = ownIdentity();
  return (await operations.workers()).map((worker) => infoOf(worker, own));
}

function infoOf(worker: WorkerStanding, own: ProcessIdentity): WorkerInfo {
  const { id, pid, instances, expired, holdsLock } = worker;
  return {
    id,
    // What follows tells boots and namespaces of it apart.
    host: worker.host.split("/")[0] ?? worker.host,
    pid,
    startedAt: new Date(worker.startedAt),
    leaseUntil: new Date(worker.expiresAt),
    lock: holdsLock === undefined ? "none" : holdsLock ? "held" : "lost",
    instances,
    isAlive: !expired && holdsLock !== false && !isGone(worker, own),
  };
}
