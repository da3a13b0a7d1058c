const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * A UUID of version 7 (RFC 9562, 5.7): it sorts by time, so that new rows land at the end of an index.
 *
 * @param now epoch milliseconds
 * @param random 10 random bytes; they are not changed
 */
export function uuidv7(now: number, random: Uint8Array): string {
  const high = Math.floor(now / 0x10000)
    .toString(16)
    .padStart(8, "0");
  const low = (now % 0x10000).toString(16).padStart(4, "0");
  return `${high}-${low}-${behindTime(random, 7)}`;
}

/** A random UUID (RFC 9562, version 4) from 16 random bytes; they are not changed. */
export function uuidv4(random: Uint8Array): string {
  const [a, b, c, d, e, f] = random;
  return `${hex(a)}${hex(b)}${hex(c)}${hex(d)}-${hex(e)}${hex(f)}-${behindTime(random.subarray(6), 4)}`;
}

/** The version, the variant and what is random, of 10 bytes. */
function behindTime(bytes: Uint8Array, version: number): string {
  const [a = 0, b, c = 0, d, e, f, g, h, i, j] = bytes;
  const node = `${hex(e)}${hex(f)}${hex(g)}${hex(h)}${hex(i)}${hex(j)}`;
  const versioned = (a & 0x0f) | (version << 4);
  const variant = (c & 0x3f) | 0x80;
  return `${hex(versioned)}${hex(b)}-${hex(variant)}${hex(d)}-${node}`;
}

/** One that is missing counts as 0. */
function hex(byte = 0): string {
  return HEX[byte] as string;
}
