import { Problem } from "./replies.ts";

/**
 * The whole body. The limit holds while it comes in: what a sender says of its length is believed only when it is too much.
 *
 * @param limit bytes
 */
export async function readBody(request: Request, limit: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  if (request.bodyUsed) throw new Error("The body was read before romancy got the request.");
  if (Number(request.headers.get("content-length")) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    signal.throwIfAborted();
    size += chunk.byteLength;
    if (size > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return join(chunks, size);
}

/** Without cancelling what is not read: some servers take that for the end of the connection, and of the reply with it. */
async function* chunksOf(request: Request): AsyncGenerator<Uint8Array> {
  if (!request.body) return;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new Problem(400, "ParseError", "The body did not arrive to its end.");
    });
    if (done) return;
    yield value;
  }
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let position = 0;
  for (const chunk of chunks) {
    whole.set(chunk, position);
    position += chunk.byteLength;
  }
  return whole;
}

function tooLarge(limit: number): Problem {
  return new Problem(413, "PayloadTooLarge", `The body has more than ${limit} bytes, which is the limit.`);
}
