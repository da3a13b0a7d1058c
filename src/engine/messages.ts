/** Messages of channels, as they are stored. */
import { createHash } from "node:crypto";
import type { ChannelMessage } from "../core/action.ts";
import { encode } from "../core/codec.ts";
import { SerializationError, ValidationError } from "../core/errors.ts";
import { checkOptions, type KnownKeys } from "../core/known-keys.ts";
import { uuidv4 } from "../core/uuid.ts";
import { checkName } from "../workflow/activity.ts";
import type { PublishOptions, ReceivedMessage } from "../workflow/channels.ts";
import type { Clock } from "./clock.ts";

interface Environment {
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly maxValueBytes: number;
}

const KNOWN: KnownKeys<PublishOptions> = { metadata: true, id: true };

/**
 * @param senderInstanceId `undefined` from outside of instances
 * @throws ValidationError, SerializationError
 */
export function channelMessage(
  channel: string,
  data: unknown,
  options: PublishOptions,
  { clock, randomBytes, maxValueBytes }: Environment,
  senderInstanceId: string | undefined,
): ChannelMessage {
  checkName("channel", channel);
  checkOptions("a message", options, KNOWN);
  const { metadata = {}, id } = options;
  if (id !== undefined) checkName("message", id);
  checkMetadata(channel, metadata);
  const at = clock.now();
  const made = id ?? uuidv4(randomBytes(16));
  return {
    channel,
    // What users call it may be long, and the same on another channel.
    fingerprint: id === undefined ? made : hashOf(channel, id),
    attributes: { channel, id: made, metadata, at, ...(senderInstanceId !== undefined && { senderInstanceId }) },
    data: encode(data, `The data of a message of channel ${channel}`, maxValueBytes),
    at,
  };
}

function hashOf(channel: string, id: string): string {
  return createHash("sha256")
    .update(JSON.stringify(["channel", channel, id]))
    .digest("hex");
}

function checkMetadata(channel: string, metadata: unknown): void {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) {
    throw new ValidationError(`The metadata of a message of channel ${channel} must be an object.`);
  }
  const text = encode(metadata, `The metadata of a message of channel ${channel}`);
  // Plain JSON is stored as it is.
  if (text !== JSON.stringify(metadata)) {
    throw new SerializationError(`The metadata of a message of channel ${channel}`, "", "is not plain JSON");
  }
}

/** The message as workflow code gets it. */
export function receivedMessage<T>(stored: Readonly<Record<string, unknown>>): ReceivedMessage<T> {
  const { id, channel, metadata, at, senderInstanceId, data } = stored;
  return {
    id: id as string,
    channel: channel as string,
    data: data as T,
    metadata: metadata as ReceivedMessage<T>["metadata"],
    senderInstanceId: senderInstanceId as string | undefined,
    publishedAt: new Date(at as number),
  };
}
