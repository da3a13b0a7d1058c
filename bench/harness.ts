/** What every benchmark needs: a database of its own on disk, figures, and a way to hand them to `main.ts`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";

/** One figure of a benchmark. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What is to be reached, as text. */
  readonly target?: string;
}

/** Smaller sizes, to see that everything works. */
export const quick: boolean = process.argv.includes("--quick");

const folder = mkdtempSync(join(tmpdir(), "romancy-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

export function databaseFile(name = "bench"): string {
  return join(folder, `${name}.db`);
}

/** Hands the figures to the parent. */
export function report(figures: readonly Figure[]): void {
  console.log(JSON.stringify(figures));
}

export function figure(what: string, value: number, unit: string, target?: string): Figure {
  return { what, value: Number(value.toPrecision(4)), unit, ...(target !== undefined && { target }) };
}

/** The value below which that share of the sorted values lies. */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

/** Measures how long the event loop was blocked, and how long the garbage collector took of that, in milliseconds. */
export function watchEventLoop(): () => { longest: number; longestCollection: number } {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let longestCollection = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestCollection = Math.max(longestCollection, duration);
  });
  observer.observe({ entryTypes: ["gc"] });
  delay.enable();
  return () => {
    delay.disable();
    observer.disconnect();
    return { longest: delay.max / 1e6, longestCollection };
  };
}

/** Resolves when the condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
