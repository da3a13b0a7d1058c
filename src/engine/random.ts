import { randomFillSync } from "node:crypto";

/** Bytes asked of the system at once: asking for a few at a time costs more than all else about an id. */
const POOL_SIZE = 4_096;

const pool = new Uint8Array(POOL_SIZE);
let used = POOL_SIZE;

/** Cryptographically strong random bytes, each given out once. */
export function randomBytes(count: number): Uint8Array {
  if (used + count > POOL_SIZE) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  return pool.slice(used - count, used);
}
