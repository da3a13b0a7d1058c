/** The bodies of activities that run at this moment, and which of them only wait for virtual time. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { ActivityContext } from "../index.ts";
import type { VirtualClock } from "./virtual-clock.ts";

interface Body {
  /** Calls of `sleep` that are under way. */
  sleeping: number;
}

export class Bodies {
  readonly #clock: VirtualClock;
  readonly #scope = new AsyncLocalStorage<Body>();
  readonly #running = new Set<Body>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** How many of those whose outcome is waited for only wait for time. */
  get sleeping(): number {
    return [...this.#running].filter(({ sleeping }) => sleeping > 0).length;
  }

  async run(ctx: ActivityContext, body: () => unknown): Promise<unknown> {
    const one: Body = { sleeping: 0 };
    this.#running.add(one);
    const leave = (): void => void this.#running.delete(one);
    // Nobody waits for it any more.
    ctx.signal.addEventListener("abort", leave, { once: true });
    try {
      return await this.#scope.run(one, body);
    } finally {
      leave();
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
