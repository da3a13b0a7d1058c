/** How each of the three providers writes an answer, whole and as a stream of server-sent events. */

/** What a model says: a text, and tools that it asks for. */
export interface Said {
  readonly text?: string;
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
}

interface Wire {
  /** What is called, and how, when a stream is asked for. */
  isStream(path: string, body: { readonly stream?: boolean }): boolean;
  whole(said: Said): unknown;
  /** The events of a stream: a name where the provider gives one, and data. */
  events(said: Said): { readonly event?: string; readonly data: unknown }[];
  /** What the provider says with an HTTP status that is not 200. */
  error(message: string): unknown;
}

const IN = 11;
const OUT = 7;

const anthropicUsage = { input_tokens: IN, output_tokens: OUT };

const anthropic: Wire = {
  isStream: (_, body) => body.stream === true,
  whole: ({ text, calls = [] }) => ({
    type: "message",
    id: "msg_1",
    model: "claude-sonnet-4-5",
    role: "assistant",
    content: [
      ...(text === undefined ? [] : [{ type: "text", text }]),
      ...calls.map(({ id, name, input }) => ({ type: "tool_use", id, name, input })),
    ],
    stop_reason: calls.length > 0 ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: anthropicUsage,
  }),
  events: ({ text = "", calls = [] }) => {
    const event = (type: string, more: object) => ({ event: type, data: { type, ...more } });
    const block = (index: number, content: object, deltas: object[]) => [
      event("content_block_start", { index, content_block: content }),
      ...deltas.map((delta) => event("content_block_delta", { index, delta })),
      event("content_block_stop", { index }),
    ];
    const texts =
      text === "" ? [] : [text.slice(0, 3), text.slice(3)].map((piece) => ({ type: "text_delta", text: piece }));
    const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5", content: [] };
    return [
      event("message_start", {
        message: { ...message, stop_reason: null, stop_sequence: null, usage: anthropicUsage },
      }),
      ...(text === "" ? [] : block(0, { type: "text", text: "" }, texts)),
      ...calls.flatMap(({ id, name, input }, index) =>
        block(index + 1, { type: "tool_use", id, name, input: {} }, [
          { type: "input_json_delta", partial_json: JSON.stringify(input) },
        ]),
      ),
      event("message_delta", {
        delta: { stop_reason: calls.length > 0 ? "tool_use" : "end_turn", stop_sequence: null },
        usage: anthropicUsage,
      }),
      event("message_stop", {}),
    ];
  },
  error: (message) => ({ type: "error", error: { type: "api_error", message } }),
};

const openaiUsage = { input_tokens: IN, output_tokens: OUT };
const openaiHead = { id: "resp_1", created_at: 1_700_000_000, model: "gpt-5" };

const openaiCall = ({ id, name, input }: { id: string; name: string; input: unknown }) => ({
  type: "function_call",
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: JSON.stringify(input),
  status: "completed",
});

const openai: Wire = {
  isStream: (_, body) => body.stream === true,
  whole: ({ text, calls = [] }) => ({
    ...openaiHead,
    output: [
      ...(text === undefined
        ? []
        : [
            {
              type: "message",
              role: "assistant",
              id: "msg_1",
              content: [{ type: "output_text", text, annotations: [] }],
            },
          ]),
      ...calls.map(openaiCall),
    ],
    incomplete_details: null,
    usage: openaiUsage,
  }),
  events: ({ text, calls = [] }) => {
    const event = (type: string, more: object) => ({ event: type, data: { type, ...more } });
    const message = { type: "message", id: "msg_1" };
    const said = (delta: string) => event("response.output_text.delta", { item_id: "msg_1", delta });
    return [
      event("response.created", { response: openaiHead }),
      ...(text === undefined
        ? []
        : [
            event("response.output_item.added", { output_index: 0, item: message }),
            said(text.slice(0, 3)),
            said(text.slice(3)),
            event("response.output_item.done", { output_index: 0, item: message }),
          ]),
      ...calls.flatMap((call, index) => [
        event("response.output_item.added", { output_index: index + 1, item: { ...openaiCall(call), arguments: "" } }),
        event("response.output_item.done", { output_index: index + 1, item: openaiCall(call) }),
      ]),
      event("response.completed", { response: { ...openaiHead, incomplete_details: null, usage: openaiUsage } }),
    ];
  },
  error: (message) => ({ error: { message, type: "server_error", param: null, code: "error" } }),
};

const googleAnswer = (parts: unknown[]) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, finishReason: "STOP" }],
  usageMetadata: { promptTokenCount: IN, candidatesTokenCount: OUT, totalTokenCount: IN + OUT },
  modelVersion: "gemini-2.5-flash",
});

const googleCalls = ({ calls = [] }: Said) => calls.map(({ name, input }) => ({ functionCall: { name, args: input } }));

const google: Wire = {
  isStream: (path) => path.includes("streamGenerateContent"),
  whole: (said) => googleAnswer([...(said.text === undefined ? [] : [{ text: said.text }]), ...googleCalls(said)]),
  events: (said) => {
    const { text } = said;
    const pieces = text === undefined ? [] : [text.slice(0, 3), text.slice(3)];
    const partial = pieces.map((piece) => ({
      data: { candidates: [{ index: 0, content: { role: "model", parts: [{ text: piece }] } }] },
    }));
    return [...partial, { data: googleAnswer(googleCalls(said)) }];
  },
  error: (message) => ({ error: { code: 500, message, status: "INTERNAL" } }),
};

export type Provider = "anthropic" | "openai" | "google";

export const wires: Readonly<Record<Provider, Wire>> = { anthropic, openai, google };
