/** What every benchmark needs: a fresh database, figures, and a way to hand them to `main.ts`. */
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import type { Logger } from "romancy";
import { type BenchDatabase, createDatabase, type Home, type Kind } from "./databases.ts";

/** What is to be reached, in the figure's unit. */
export type Target =
  | { readonly below: number; readonly but?: string }
  | { readonly atLeast: number; readonly but?: string };

/** One figure of a benchmark. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: Target;
}

/** What `main.ts` tells the process of a benchmark; processes started by that one inherit it. */
export interface Task {
  readonly home: Home;
  /** Smaller sizes, to see that everything works. */
  readonly quick: boolean;
}

const given = process.env["ROMANCY_BENCH_TASK"];
if (given === undefined) throw new Error("Benchmarks are started by main.ts: npm run bench -- latency --quick");
const task = JSON.parse(given) as Task;

export const quick: boolean = task.quick;

/** The database that this run is about. */
export const kind: Kind = task.home.kind;

/** A fresh database; what is not dropped is dropped at the end. */
export function database(name = "bench"): Promise<BenchDatabase> {
  return createDatabase(task.home, name);
}

/** Standard output is for figures. */
export const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message, data) => console.error(message, data),
  error: (message, data) => console.error(message, data),
};

/** Hands the figures to the parent. */
export function report(figures: readonly Figure[]): void {
  console.log(JSON.stringify(figures));
}

export function figure(what: string, value: number, unit: string, target?: Target): Figure {
  return { what, value: Number(value.toPrecision(4)), unit, ...(target && { target }) };
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

/** Resolves when the condition holds; `every` is in milliseconds. */
export async function until(condition: () => boolean | Promise<boolean>, every = 5): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, every));
}

/** Calls the function so many times, so many calls at once. */
export async function drive(times: number, concurrency: number, call: (n: number) => Promise<unknown>): Promise<void> {
  let begun = 0;
  const one = async (): Promise<void> => {
    while (begun < times) await call(begun++);
  };
  await Promise.all(Array.from({ length: concurrency }, one));
}
