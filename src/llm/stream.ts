/** Streamed answers: passed on as they come, recorded whole, and given to the workflow as a stream again. */
import type { ActivityContext } from "../index.ts";
import { attemptError, ModelCallError, type ModelName } from "./errors.ts";
import type { ModelChunk, ModelResult } from "./sdk.ts";

interface Collecting {
  readonly name: ModelName;
  readonly activity: ActivityContext;
  readonly onChunk: ((chunk: ModelChunk, activity: ActivityContext) => void | Promise<void>) | undefined;
  readonly isSensitive: boolean;
}

interface Collected {
  readonly value: { readonly chunks: readonly ModelChunk[] };
  readonly usage: ModelResult["usage"];
}

/**
 * Reads an answer to its end.
 *
 * @throws ModelCallError when the answer breaks off, so that another attempt is made
 */
export async function collectChunks(stream: ReadableStream<ModelChunk>, collecting: Collecting): Promise<Collected> {
  const { name, activity, isSensitive } = collecting;
  const chunks: ModelChunk[] = [];
  let usage: ModelResult["usage"] | undefined;
  for await (const chunk of stream) {
    // Nobody wants the rest of an attempt that is over, and its pieces would mix with those of the next one.
    activity.signal.throwIfAborted();
    if (chunk.type === "error") throw attemptError(chunk.error, name, isSensitive);
    if (chunk.type === "finish") usage = chunk.usage;
    await passOn(chunk, collecting);
    append(chunks, chunk);
  }
  if (!usage) throw new ModelCallError(name, "the answer ended before it was finished.");
  return { value: { chunks }, usage };
}

async function passOn(chunk: ModelChunk, { activity, onChunk }: Collecting): Promise<void> {
  try {
    await onChunk?.(chunk, activity);
  } catch (error) {
    activity.log.warn("A hook for the pieces of a model's answer threw.", { error: String(error) });
  }
}

/** Adds a piece, as part of the last one where that is possible: an answer has thousands of them. */
function append(chunks: ModelChunk[], chunk: ModelChunk): void {
  // Of no use to anybody but who listens live.
  if (chunk.type === "ping") return;
  const last = chunks.at(-1);
  if (last && isDelta(last) && isDelta(chunk) && last.type === chunk.type && last.id === chunk.id && isBare(chunk)) {
    chunks[chunks.length - 1] = { ...last, delta: last.delta + chunk.delta };
  } else {
    chunks.push(chunk);
  }
}

type Delta = Extract<ModelChunk, { readonly delta: string }>;

function isDelta(chunk: ModelChunk): chunk is Delta {
  return "delta" in chunk;
}

/** Some providers send a signature with a piece: it stays a piece of its own. */
function isBare({ providerMetadata }: Delta): boolean {
  return providerMetadata === undefined;
}

/** The recorded answer, all at once. */
export function streamOf(chunks: readonly ModelChunk[]): ReadableStream<ModelChunk> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}
