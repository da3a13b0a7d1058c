/** Workers that are killed at moments which the dice decide. */
import type { ChildProcess } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { expect } from "vitest";

interface Plan {
  readonly workers: ChildProcess[];
  /** Starts one in the place of another. */
  readonly start: () => ChildProcess;
  readonly roll: (sides: number) => number;
  /** Milliseconds between two kills. */
  readonly pause: number;
  readonly most: number;
  /** After it nobody is killed. */
  readonly over: Promise<unknown>;
}

export class Kills {
  /** So far. */
  count = 0;

  /** Kills one every moment, until so many were killed or it is over. */
  async run({ workers, start, roll, pause, most, over }: Plan): Promise<void> {
    const isOver = over.then(() => "over" as const);
    for (; this.count < most; this.count++) {
      if ((await Promise.race([isOver, wait(roll(pause))])) === "over") break;
      const index = roll(workers.length) - 1;
      workers[index]?.kill("SIGKILL");
      workers[index] = start();
    }
    expect(this.count, "workers were killed").toBeGreaterThan(3);
  }
}
