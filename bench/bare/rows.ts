/** What the bare loops of all databases have in common. */
import { readdirSync, readFileSync } from "node:fs";

/** Writes instances of three activities each, in lock-step batches; gives the seconds that it took. */
export type BareLoop = (url: string, instances: number, batch: number) => Promise<number>;

/** One step of a batch: all of its instances are created, or each gets its first, second or third event. */
export type Step = 0 | 1 | 2 | 3;

export const WORKER = "7c7bd8d4-6ddc-4c77-98c8-2a6b6a1f4ab0";

/** Runs the steps of all batches, one after the other. */
export async function inBatches(
  instances: number,
  batch: number,
  write: (step: Step, ids: readonly string[], now: number) => Promise<void> | void,
): Promise<number> {
  const begun = performance.now();
  for (let first = 0; first < instances; first += batch) {
    const ids = Array.from({ length: Math.min(batch, instances - first) }, (_, n) => idOf(first + n));
    for (const step of [0, 1, 2, 3] as const) await write(step, ids, Date.now());
  }
  return (performance.now() - begun) / 1_000;
}

/** The library's schema. */
export function schema(database: "sqlite" | "postgres" | "mysql"): string {
  const folder = new URL(`../../migrations/${database}/`, import.meta.url);
  const files = readdirSync(folder).toSorted();
  return files.map((file) => readFileSync(new URL(file, folder), "utf8").split("-- migrate:down")[0]).join("\n");
}

function idOf(n: number): string {
  const tail = ((n * 2_654_435_761) % 2 ** 32).toString(16).padStart(12, "0");
  return `019abcde-${(n >> 12).toString(16).padStart(4, "0")}-7${(n & 0xfff).toString(16).padStart(3, "0")}-8000-${tail}`;
}
