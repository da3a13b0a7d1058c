/** Answers calls to instances that run here: reads what was delivered to them since they were last looked at. */

import { messageOf } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import { setImmediate } from "./machine-time.ts";
import type { Run } from "./run.ts";

export interface CallsOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly workerId: string;
  /** What runs here, by id. */
  readonly runs: ReadonlyMap<string, Run>;
}

export class Calls {
  readonly #options: CallsOptions;
  #again = false;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Something may have been delivered. */
  look(): void {
    this.#again = true;
    if (!this.#stopped && this.#options.runs.size > 0) this.#looking ??= this.#lookWhileAsked();
  }

  get isBusy(): boolean {
    return this.#looking !== undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#looking;
  }

  async #lookWhileAsked(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        // A macrotask later: deliveries that are made together are read together.
        await new Promise((resolve) => setImmediate(resolve));
        this.#again = false;
        await this.#answer();
      }
    } catch (error) {
      // The next look at other workers, a second later, looks here too.
      this.#options.log.warn("Inboxes could not be read.", { error: messageOf(error) });
    } finally {
      this.#looking = undefined;
    }
  }

  async #answer(): Promise<void> {
    const { store, workerId, runs } = this.#options;
    const ids = (await store.called(workerId)).filter((id) => runs.has(id));
    if (ids.length === 0) return;
    // In this order: what is delivered after the calls were answered calls again, what was before is in the inbox.
    const calls = await store.answerCalls(workerId, ids);
    const inboxes = await store.unread(ids);
    for (const [id, call] of calls) runs.get(id)?.receive(inboxes.get(id) ?? [], call);
  }
}
