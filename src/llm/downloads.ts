/**
 * Files that a prompt names by URL. The AI SDK fetches them for models that cannot, before it calls the model: that
 * would be in the workflow, where nothing may be fetched. So a durable model takes every URL, and here, inside the
 * activity, those are fetched that its model does not take itself.
 */
import { loadSdk, type ModelRequest, type ProviderModel } from "./sdk.ts";

type Prompt = ModelRequest["prompt"];

/** Every URL, of every media type. */
export const EVERY_URL: Record<string, RegExp[]> = { "*/*": [/^/] };

/** The prompt as the model takes it. */
export async function withDownloads(prompt: Prompt, model: ProviderModel, signal: AbortSignal): Promise<Prompt> {
  const supported = await model.supportedUrls;
  const inPart = async (part: Part): Promise<Part> => {
    if (part.type === "file" && part.data?.type === "url" && part.data.url) {
      if (isSupported(part.data.url.href, part.mediaType ?? "", supported)) return part;
      return await download(part, part.data.url, signal);
    }
    // Tools may give files to the model.
    const { output } = part;
    if (output?.type !== "content") return part;
    return { ...part, output: { ...output, value: await Promise.all(output.value.map(inPart)) } };
  };
  const inMessage = async (message: Prompt[number]): Promise<Prompt[number]> => {
    if (typeof message.content === "string") return message;
    return { ...message, content: await Promise.all((message.content as Part[]).map(inPart)) } as Prompt[number];
  };
  return Promise.all(prompt.map(inMessage));
}

/** What is looked at of a part of a message, or of a tool's output. */
interface Part {
  readonly type: string;
  readonly mediaType?: string;
  readonly data?: { readonly type: string; readonly url?: URL; readonly data?: Uint8Array };
  readonly output?: { readonly type: string; readonly value: readonly Part[] };
}

async function download(part: Part, url: URL, abortSignal: AbortSignal): Promise<Part> {
  const { createDownload } = await loadSdk();
  const { data, mediaType } = await createDownload()({ url, abortSignal });
  return { ...part, data: { type: "data", data }, mediaType: mediaTypeOf(part.mediaType ?? "", mediaType) };
}

/** What the server says, unless the prompt says it exactly. */
function mediaTypeOf(asked: string, served: string | undefined): string {
  return asked.includes("/") && !asked.endsWith("/*") ? asked : (served ?? asked);
}

/** As the AI SDK reads what a model says: patterns by media type, `image/*` and `*` included. */
function isSupported(url: string, mediaType: string, supported: Readonly<Record<string, readonly RegExp[]>>): boolean {
  const type = mediaType.toLowerCase();
  return Object.entries(supported).some(([key, patterns]) => {
    const takes = key.toLowerCase();
    const group = takes.endsWith("/*") ? takes.slice(0, -1) : undefined;
    const fits = takes === "*" || takes === "*/*" || takes === type || (group && `${type}/`.startsWith(group));
    return fits && patterns.some((pattern) => pattern.test(url));
  });
}
