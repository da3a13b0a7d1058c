/** The activities of one run that have no record yet. */
import type { RecordedOperation } from "../core/history.ts";
import { ActivityTask, type TaskHost, type TaskOwner } from "./activity-task.ts";
import type { ActivityRequest } from "./requests.ts";

export class Tasks {
  readonly #owner: TaskOwner;
  readonly #host: TaskHost;
  readonly #open = new Map<string, ActivityTask>();
  /** Those of them whose next attempt only waits for the barrier. */
  #ready: ActivityTask[] = [];

  constructor(owner: TaskOwner, host: TaskHost) {
    this.#owner = owner;
    this.#host = host;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Whether each of them only waits for an attempt that is far off. */
  get arePutOff(): boolean {
    for (const task of this.#open.values()) if (task.longRetryAt === undefined) return false;
    return true;
  }

  /** Gives the time, in epoch milliseconds, at which the next attempt is due; `undefined` for at once. */
  open(id: string, request: ActivityRequest, recorded: RecordedOperation | undefined): number | undefined {
    const task = new ActivityTask(this.#owner, id, request, recorded, this.#host);
    this.#open.set(id, task);
    if (task.retryAt === undefined) this.#ready.push(task);
    return task.retryAt;
  }

  /** It has a record. */
  close(id: string): void {
    this.#open.delete(id);
  }

  /** The wait before its next attempt is over; whether it is one of these. */
  wake(id: string): boolean {
    const task = this.#open.get(id);
    if (!task) return false;
    task.wake();
    this.#ready.push(task);
    return true;
  }

  /** Makes the attempts that are due. The barrier is the caller's. */
  start(): void {
    for (const task of this.#ready.splice(0)) task.start();
  }

  /** Stops those that are not kept; what may have to be undone stays until its outcome is known. */
  stop(reason: Error, isKept: (id: string) => boolean): void {
    for (const [id, task] of this.#open) {
      if (!isKept(id) && !task.stop(reason)) this.#open.delete(id);
    }
  }

  /** Nobody wants their outcomes any more. */
  abandon(reason: string): void {
    // An error is dear, and most runs end without an activity.
    if (this.#open.size === 0) return;
    const error = new Error(reason);
    for (const task of this.#open.values()) task.abandon(error);
    this.#open.clear();
  }
}
