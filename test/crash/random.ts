/** Whole numbers from 1 to a limit, the same again for the same seed (mulberry32). */
export function dice(seed: number): (sides: number) => number {
  let state = seed | 0;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return 1 + Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * sides);
  };
}

/** CRASH_SEED=n repeats a run; tests show theirs in their names. */
export const seed: number = Number(process.env["CRASH_SEED"] ?? Math.floor(Math.random() * 1_000_000));
