/** The AI SDK, which only those need who call models. Its types are all that is known of it before a call is made. */
import type { LanguageModel } from "ai";
import { MissingPackageError } from "../index.ts";

/** A model as the AI SDK's providers make it, of this or an older version of their interface. */
export type ModelObject = Exclude<LanguageModel, string>;

/** The current interface between the AI SDK and its providers. */
export type ProviderModel = Extract<ModelObject, { readonly specificationVersion: "v4" }>;

/** What the AI SDK asks a provider's model for. */
export type ModelRequest = Parameters<ProviderModel["doGenerate"]>[0];

/** What a provider's model answers. */
export type ModelResult = Awaited<ReturnType<ProviderModel["doGenerate"]>>;

/** A piece of a streamed answer: `text-delta`, `reasoning-delta`, `tool-call`, `finish`, ... */
export type ModelChunk = ChunkOf<Awaited<ReturnType<ProviderModel["doStream"]>>["stream"]>;

type ChunkOf<Stream> = Stream extends ReadableStream<infer Chunk> ? Chunk : never;

/** @throws MissingPackageError */
export async function loadSdk(): Promise<typeof import("ai")> {
  try {
    return await import("ai");
  } catch (cause) {
    throw new MissingPackageError("Calls of language models need", "ai", { cause });
  }
}
