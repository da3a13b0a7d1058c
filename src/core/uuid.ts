const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/**
 * A UUID of version 7 (RFC 9562, 5.7): it sorts by time, so that new rows land at the end of an index.
 *
 * @param now epoch milliseconds
 * @param random 10 random bytes; they are not changed
 */
export function uuidv7(now: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  for (let index = 5, rest = now; index >= 0; index--) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  return format(bytes, 7);
}

/** A random UUID (RFC 9562, version 4) from 16 random bytes; they are not changed. */
export function uuidv4(random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  bytes.set(random.subarray(0, 16));
  return format(bytes, 4);
}

function format(bytes: Uint8Array, version: number): string {
  let text = "";
  bytes.forEach((byte, index) => {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += "-";
    if (index === 6) text += HEX[(byte & 0x0f) | (version << 4)];
    else if (index === 8) text += HEX[(byte & 0x3f) | 0x80];
    else text += HEX[byte];
  });
  return text;
}
