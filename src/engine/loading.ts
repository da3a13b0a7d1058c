/** Reads what a worker needs to run what it has claimed. */

import { messageOf } from "../core/errors.ts";
import type { HistoryEvent } from "../core/history.ts";
import type { InboxMessage, Store } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import { setTimeout } from "./machine-time.ts";

/** Milliseconds until it is read again when the database did not answer. */
const RETRY_AFTER = 500;

export interface LoadingOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Whether nobody wants it any more. */
  readonly isStopped: () => boolean;
}

/** The claimed instances are ours alone: until they are loaded nobody runs them, so it is tried until it works. */
export class Loading {
  readonly #options: LoadingOptions;

  constructor(options: LoadingOptions) {
    this.#options = options;
  }

  async inboxesOf(ids: readonly string[]): Promise<Map<string, InboxMessage[]> | undefined> {
    return ids.length > 0 ? this.#untilRead((store) => store.unread(ids)) : undefined;
  }

  async historiesOf(ids: readonly string[]): Promise<Map<string, HistoryEvent[] | Error> | undefined> {
    return ids.length > 0 ? this.#untilRead((store) => store.histories(ids)) : undefined;
  }

  async #untilRead<T>(read: (store: Store) => Promise<T>): Promise<T | undefined> {
    const { store, log, isStopped } = this.#options;
    while (!isStopped()) {
      try {
        return await read(store);
      } catch (error) {
        log.warn("Instances could not be read; it is tried again.", { error: messageOf(error) });
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER));
      }
    }
    return undefined;
  }
}
