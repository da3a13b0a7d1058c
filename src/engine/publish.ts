/** Sends messages from outside of instances. */
import type { ChannelMessage } from "../core/action.ts";
import type { Change } from "../core/commit.ts";
import { StoreError, undeliverable } from "../core/errors.ts";
import { checkName } from "../workflow/activity.ts";
import type { PublishOptions, SentMessage } from "../workflow/channels.ts";
import type { Clock } from "./clock.ts";
import { type Journal, write } from "./journal.ts";
import { channelMessage } from "./messages.ts";

export interface SendingEnvironment {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly maxValueBytes: number;
  /** Somebody has it, or was called for it. */
  readonly onWork: () => void;
  /** Calls who has begun to wait while it was published. */
  readonly rouse: (channel: string) => void;
}

export async function publish(
  channel: string,
  data: unknown,
  options: PublishOptions,
  environment: SendingEnvironment,
): Promise<SentMessage> {
  const message = channelMessage(channel, data, options, environment, undefined);
  await send({ type: "publish", message }, message, environment);
  return { id: message.attributes["id"] as string };
}

export async function sendTo(
  instanceId: string,
  channel: string,
  data: unknown,
  options: PublishOptions,
  environment: SendingEnvironment,
): Promise<SentMessage> {
  checkName("instance", instanceId);
  const message = channelMessage(channel, data, options, environment, undefined);
  await send({ type: "deliver", instanceId, message: { ...message, type: channel, key: null } }, message, environment);
  return { id: message.attributes["id"] as string };
}

async function send(
  change: Change,
  { channel }: ChannelMessage,
  { journal, onWork, rouse }: SendingEnvironment,
): Promise<void> {
  const result = await write(journal, change, `a message of channel ${channel}`, (done) => {
    if (done.type !== "delivered") return;
    if (done.receivers > 0) onWork();
    else if (change.type === "publish") rouse(channel);
  });
  if (result.type === "undeliverable") throw undeliverable(result.instanceId, result.status);
  if (result.type === "refused") {
    throw new StoreError(`The database refused a message of channel ${channel}.`, { cause: result.error });
  }
}
