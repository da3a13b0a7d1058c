/** One try to send an event: from the publisher's answer, or none, to what becomes of the event. */

import { messageOf, PublishError, TerminalError } from "../../core/errors.ts";
import { nextAttemptAt } from "../../core/retry.ts";
import type { ClaimedEvent, Settlement } from "../../store/store.ts";
import type { Publisher } from "../../workflow/outbox.ts";
import type { Clock } from "../clock.ts";
import { clearTimeout, setTimeout } from "../machine-time.ts";
import type { RelaySettings } from "./outbox-options.ts";
import { publishedEvent } from "./outgoing.ts";

interface DispatchOptions {
  readonly publisher: Publisher;
  readonly settings: RelaySettings;
  readonly clock: Clock;
}

export class Dispatch {
  readonly event: ClaimedEvent;
  readonly #options: DispatchOptions;
  readonly #controller = new AbortController();
  readonly #over = Promise.withResolvers<Settlement>();
  readonly #begun: number;

  constructor(event: ClaimedEvent, options: DispatchOptions) {
    this.event = event;
    this.#options = options;
    this.#begun = options.clock.now();
  }

  /** Makes the try. Never rejects. */
  async run(): Promise<Settlement> {
    const { maxAge, timeout } = this.#options.settings;
    if (this.event.age > maxAge) return this.#expired();
    const timer = setTimeout(
      () => this.#end(new PublishError(`The broker did not answer within ${timeout} ms.`)),
      timeout,
    );
    void this.#publish().then(this.#over.resolve);
    const settlement = await this.#over.promise;
    clearTimeout(timer);
    return settlement;
  }

  /** It is given back, as if it had not been tried. */
  abandon(reason: Error): void {
    this.#over.resolve({ ...this.#base, type: "released", delay: 0 });
    this.#controller.abort(reason);
  }

  #end(error: PublishError): void {
    this.#over.resolve(this.#failed(error));
    this.#controller.abort(error);
  }

  async #publish(): Promise<Settlement> {
    const { instanceId, attempts } = this.event;
    const { signal } = this.#controller;
    try {
      const delivery = { instanceId, attempt: attempts + 1, signal };
      await this.#options.publisher.publish(publishedEvent(this.event), delivery);
      return { ...this.#base, type: "published" };
    } catch (error) {
      return this.#failed(error);
    }
  }

  get #base(): Pick<Settlement, "position" | "token" | "instanceId"> {
    const { position, token, instanceId } = this.event;
    return { position, token, instanceId };
  }

  #failed(error: unknown): Settlement {
    const { settings, clock } = this.#options;
    const now = clock.now();
    const attempt = this.event.attempts + 1;
    const startedAt = this.#begun - this.event.age;
    const common = { ...this.#base, type: "failed", attempts: attempt, error: describe(error) } as const;
    if (isRefused(error)) return { ...common, status: "invalid", delay: 0 };
    const at = nextAttemptAt(settings.retry, error, { attempt, startedAt, now, random: clock.random() });
    if (at === undefined) return { ...common, status: "failed", delay: 0 };
    const delay = Math.max(at - now, error instanceof PublishError ? (error.retryAfter ?? 0) : 0);
    const status = now + delay - startedAt > settings.maxAge ? "expired" : "pending";
    return { ...common, status, delay };
  }

  #expired(): Settlement {
    const { attempts } = this.event;
    return { ...this.#base, type: "failed", status: "expired", attempts, error: null, delay: 0 };
  }
}

/** Characters of an error that are kept. */
const KEPT = 2_000;

/** With the name, unless it says nothing; as far as any database can store it. */
function describe(error: unknown): string {
  const name = error instanceof Error && !["Error", "PublishError"].includes(error.name) ? `${error.name}: ` : "";
  return `${name}${messageOf(error)}`.slice(0, KEPT).toWellFormed().replaceAll("\0", "");
}

/** Looked for along the `cause` chain, as for activities. */
function isRefused(error: unknown): boolean {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < 16; depth++) {
    if (current instanceof TerminalError) return true;
    current = current.cause;
  }
  return false;
}
