/**
 * Messages from outside of instances: those of channels that are kept, for whoever competes for them, and all others. The
 * ones lock whom nobody else has, the others wait for rows: in one transaction two could come to wait for each other.
 */
import type { Deliver, Publish } from "../../core/commit.ts";
import type { Connection } from "../database.ts";
import type { Runner } from "../runner.ts";
import { broadcastsAmong } from "../statements/channels.ts";
import type { Mailed } from "./mail.ts";

interface Ways {
  /** For those of channels that are not broadcast. */
  readonly keep: (changes: readonly Publish[]) => Promise<Mailed[]>;
  readonly mail: (changes: readonly (Deliver | Publish)[]) => Promise<Mailed[]>;
}

/**
 * Applies the changes, what is kept in one transaction and the rest in another. Which is which is told by the channels' modes
 * as they are before; to one that changes meanwhile the message came before that.
 */
export async function mailOrKeep(
  reader: Connection,
  runner: Runner,
  changes: readonly (Deliver | Publish)[],
  { keep, mail }: Ways,
): Promise<Mailed[]> {
  const publishes = changes.filter((change) => change.type === "publish");
  if (publishes.length === 0) return mail(changes);
  const channels = [...new Set(publishes.map(({ message }) => message.channel))];
  const broadcasts = new Set((await runner.all(reader, broadcastsAmong, { channels })).map(({ name }) => name));
  const kept = publishes.filter(({ message }) => !broadcasts.has(message.channel));
  const others = changes.filter((change) => change.type === "deliver" || broadcasts.has(change.message.channel));
  const results = new Map<Deliver | Publish, Mailed>();
  for (const [of, mailed] of [
    [kept, kept.length > 0 ? await keep(kept) : []],
    [others, others.length > 0 ? await mail(others) : []],
  ] as const) {
    for (const [index, change] of of.entries()) results.set(change, mailed[index] as Mailed);
  }
  return changes.map((change) => results.get(change) as Mailed);
}
