/** The bodies of activities that run at this moment, and which of them only wait for virtual time. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ActivityContext } from "../index.ts";
import type { VirtualClock } from "./virtual-clock.ts";

interface Body {
  /** Calls of `sleep` that are under way. */
  sleeping: number;
  /** Its attempt was interrupted. It is waited for still if what it does may have to be undone. */
  isInterrupted: boolean;
}

export class Bodies {
  readonly #clock: VirtualClock;
  readonly #scope = new AsyncLocalStorage<Body>();
  readonly #running = new Set<Body>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /**
   * How many of those whose outcome is waited for only wait for time.
   *
   * @param attempts of how many the outcome is waited for
   */
  sleepingOf(attempts: number): number {
    const all = [...this.#running];
    const interrupted = all.filter(({ isInterrupted }) => isInterrupted);
    const others = all.filter(({ isInterrupted }) => !isInterrupted);
    const waitedFor = Math.max(0, attempts - others.length);
    return countSleeping(others) + Math.min(countSleeping(interrupted), waitedFor);
  }

  async run(ctx: ActivityContext, body: () => unknown): Promise<unknown> {
    const one: Body = { sleeping: 0, isInterrupted: false };
    this.#running.add(one);
    const interrupt = (): void => {
      one.isInterrupted = true;
    };
    ctx.signal.addEventListener("abort", interrupt, { once: true });
    try {
      return await this.#scope.run(one, body);
    } finally {
      this.#running.delete(one);
    }
  }

  /** Resolves when so many milliseconds of virtual time have passed. */
  async sleep(milliseconds: number): Promise<void> {
    const body = this.#scope.getStore();
    if (body) body.sleeping++;
    await new Promise<void>((resolve) => {
      this.#clock.after(milliseconds, resolve);
    });
    if (body) body.sleeping--;
  }
}

function countSleeping(bodies: readonly Body[]): number {
  return bodies.filter(({ sleeping }) => sleeping > 0).length;
}
