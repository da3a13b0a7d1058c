/** Events for brokers: from what users give to what is stored, and from that to what publishers get. */

import type { OutgoingEvent } from "../../core/action.ts";
import { encode } from "../../core/codec.ts";
import { SerializationError, ValidationError } from "../../core/errors.ts";
import { isJson, mediaTypeOf } from "../../core/media-type.ts";
import { isStorableText } from "../../core/text.ts";
import type { OutgoingEventInput, ReceivedEvent } from "../../workflow/events.ts";
import { eventOf } from "../event-input.ts";

/** Where an event comes from. */
export interface Origin {
  readonly workflowName: string;
  /** The same whenever the event is made again. */
  readonly eventId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly maxValueBytes: number;
}

/** Characters of an id. */
const LONGEST_ID = 1_000;

const JSON_TYPE = "application/json";
const BYTES_TYPE = "application/octet-stream";

/** @throws ValidationError, SerializationError */
export function outgoingEvent(input: OutgoingEventInput, origin: Origin): OutgoingEvent {
  if (typeof input !== "object" || input === null) throw new ValidationError("An event must be an object.");
  const { workflowName, eventId, at, maxValueBytes } = origin;
  const { source = `romancy/${workflowName}`, id = eventId, time = new Date(at) } = input;
  const { data, ...attributes } = eventOf({ ...input, source, id, time });
  if (id.length > LONGEST_ID || !isStorableText(id)) {
    throw new ValidationError(`The id of an event must have at most ${LONGEST_ID} characters, all whole and none NUL.`);
  }
  const what = `The data of event ${attributes.type}`;
  const content = contentOf(data, attributes.datacontenttype, what, maxValueBytes);
  const { type, ...body } = content;
  const full = type === undefined ? attributes : { ...attributes, datacontenttype: type };
  encode(full, `The attributes of event ${attributes.type}`, maxValueBytes);
  return { ...body, id, at, attributes: full };
}

interface Content {
  readonly type: string | undefined;
  readonly body: string | null;
  readonly isBinary: boolean;
}

function contentOf(data: unknown, type: string | undefined, what: string, maxBytes: number): Content {
  if (data === undefined) return { type, body: null, isBinary: false };
  // Its size is judged, and with it whether it can be stored at all.
  encode(data, what, maxBytes);
  if (data instanceof Uint8Array) {
    return { type: type ?? BYTES_TYPE, body: Buffer.from(data).toString("base64"), isBinary: true };
  }
  if (type === undefined || isJsonType(type)) {
    return { type: type ?? JSON_TYPE, body: JSON.stringify(data, refuseLoss(what)), isBinary: false };
  }
  if (isStorableText(data)) return { type, body: data, isBinary: false };
  throw new ValidationError(
    `${what} must be a Uint8Array, or a text without NUL, since its datacontenttype is ${type}.`,
  );
}

/** What JSON would change without a word; a `Date` and a `URL` become texts, as everybody expects. */
function refuseLoss(what: string): (key: string, value: unknown) => unknown {
  return (key, value) => {
    const isLost =
      typeof value === "bigint" ||
      (typeof value === "number" && !Number.isFinite(value)) ||
      value instanceof Map ||
      value instanceof Set ||
      value instanceof Error ||
      value instanceof Uint8Array;
    if (isLost) throw new SerializationError(what, key, "is not plain JSON, which is what brokers get.");
    return value;
  };
}

/** The event as publishers get it. */
export function publishedEvent({
  attributes,
  body,
  isBinary,
}: Pick<OutgoingEvent, "attributes" | "body" | "isBinary">): ReceivedEvent<unknown> {
  const event = attributes as unknown as ReceivedEvent<unknown>;
  if (body === null) return { ...event, data: undefined };
  if (isBinary) return { ...event, data: new Uint8Array(Buffer.from(body, "base64")) };
  const isParsed = event.datacontenttype === undefined || isJsonType(event.datacontenttype);
  return { ...event, data: isParsed ? (JSON.parse(body) as unknown) : body };
}

function isJsonType(header: string): boolean {
  const type = mediaTypeOf(header);
  return type !== undefined && isJson(type);
}
