/**
 * CloudEvents as HTTP carries them: binary, structured and batch mode of the HTTP binding 1.0.2, the latter two in JSON.
 *
 * The SDK judges the attributes. It does not read the messages: its `HTTP.toEvent` (10.0.0) drops data that is `0`, `false`
 * or empty, widens bytes, makes up ids and times where they are missing or wrong, and leaves percent-encoding as it is.
 */
import { ValidationError } from "../core/errors.ts";
import { isJson, isText, type MediaType, mediaTypeOf } from "../core/media-type.ts";
import type { EventInput } from "../workflow/events.ts";
import { attributesOf, hasAttributes } from "./binary.ts";
import { BatchError, Problem } from "./replies.ts";
import { judge, type Sdk } from "./sdk.ts";

export interface Message {
  readonly mode: "binary" | "structured" | "batch";
  readonly headers: Headers;
  /** Absent when the sender does not say, in binary mode. */
  readonly type: MediaType | undefined;
}

const MODES: Readonly<Record<string, Message["mode"]>> = {
  "application/cloudevents+json": "structured",
  "application/cloudevents-batch+json": "batch",
};

/** What kind of message the request carries, by its headers; a 415 when it is none. */
export function messageOf(headers: Headers): Message {
  const header = headers.get("content-type");
  const type = header === null ? undefined : mediaTypeOf(header);
  const mode = MODES[type?.essence ?? ""];
  if (mode) return { mode, headers, type };
  const isKnown = (type || header === null) && !type?.essence.startsWith("application/cloudevents");
  if (isKnown && hasAttributes(headers)) return { mode: "binary", headers, type };
  throw new Problem(
    415,
    "UnsupportedMediaType",
    `This is no CloudEvent: send ${Object.keys(MODES).join(" or ")}, or ce-* headers with any other type.`,
  );
}

/**
 * The events of the message, in order.
 *
 * @throws Problem, ValidationError, or BatchError with one of these: 400
 */
export function eventsOf({ mode, headers, type }: Message, body: Uint8Array, sdk: Sdk): EventInput[] {
  if (mode === "binary") {
    const attributes = attributesOf(headers);
    return [eventOf(attributes, body.length === 0 ? undefined : dataOf(body, type), sdk)];
  }
  const value = parse(body, type);
  if (mode === "structured") return [structured(value, sdk)];
  if (!Array.isArray(value)) throw new ValidationError("A batch must be a list of events.");
  return value.map((one, index) => {
    try {
      return structured(one, sdk);
    } catch (error) {
      throw new BatchError(index, error);
    }
  });
}

function structured(value: unknown, sdk: Sdk): EventInput {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ValidationError("An event must be an object.");
  }
  const { data, data_base64: base64, ...attributes } = value as Record<string, unknown>;
  if (base64 === undefined || base64 === null) return eventOf(attributes, data, sdk);
  if (data !== undefined && data !== null) throw new ValidationError("An event has data or data_base64, not both.");
  return eventOf(attributes, bytesOf(base64), sdk);
}

const REQUIRED = ["specversion", "id", "source", "type"];

const OPTIONAL = ["subject", "time", "datacontenttype", "dataschema"];

/** Extensions are left to `sendEvent`; the SDK takes some of their names for its own methods. */
function eventOf(given: Readonly<Record<string, unknown>>, data: unknown, sdk: Sdk): EventInput {
  // By the JSON format, what is null is not there. Own properties all, also one called __proto__.
  const attributes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  for (const name of REQUIRED) {
    const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (typeof value !== "string" || value === "") throw new ValidationError(`The event has no ${name}.`);
  }
  const { specversion, ...kept } = attributes;
  if (specversion !== "1.0") throw new ValidationError("The specversion of the event must be 1.0.");
  judge(Object.fromEntries([...REQUIRED, ...OPTIONAL].map((name) => [name, attributes[name]])), sdk);
  return { ...kept, data } as EventInput;
}

function dataOf(body: Uint8Array, type: MediaType | undefined): unknown {
  if (type && isJson(type)) return parse(body, type);
  if (type && isText(type)) return textOf(body, type);
  return body;
}

function parse(body: Uint8Array, type: MediaType | undefined): unknown {
  const text = textOf(body, type);
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(400, "ParseError", "The body is not JSON.");
  }
}

function textOf(body: Uint8Array, type: MediaType | undefined): string {
  const charset = type?.charset ?? "utf-8";
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch {
    throw new Problem(400, "ParseError", `The body is not text in ${charset}.`);
  }
}

function bytesOf(base64: unknown): Uint8Array {
  if (typeof base64 === "string") {
    const bytes = Buffer.from(base64, "base64");
    // The decoder skips what it does not know.
    if (bytes.toString("base64") === base64) return new Uint8Array(bytes);
  }
  throw new ValidationError("The data_base64 of the event is not base64.");
}
