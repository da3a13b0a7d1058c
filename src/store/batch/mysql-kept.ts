/**
 * Messages from outside of instances on MySQL and MariaDB: those that are to be kept, for whoever competes for them, and
 * all others. Each message by itself would be nine statements; of those that are kept, a channel's go together.
 */
import type { ChannelMessage } from "../../core/action.ts";
import type { Deliver, Publish } from "../../core/commit.ts";
import type { Database, Together, Transaction } from "../database.ts";
import { qualify } from "../naming.ts";
import type { Runner } from "../runner.ts";
import { broadcastsAmong } from "../statements/channels.ts";
import { inTransaction } from "../transaction.ts";
import { callWaiting, type Mailed } from "./mail.ts";
import { mailOnMysql } from "./mysql-mail.ts";
import { partsOf, type Row, tuples } from "./mysql-rows.ts";

/**
 * Applies the changes: what is kept in one transaction, the rest in another. That is told by the channels' modes as they are
 * before; where one changes meanwhile, the message is one of those that came before.
 */
export async function mailOrKeepOnMysql(
  database: Database,
  runner: Runner,
  transact: Together,
  changes: readonly (Deliver | Publish)[],
): Promise<Mailed[]> {
  const publishes = changes.filter((change) => change.type === "publish");
  const channels = [...new Set(publishes.map(({ message }) => message.channel))];
  const rows = channels.length > 0 ? await runner.all(database.reader, broadcastsAmong, { channels }) : [];
  const broadcasts = new Set(rows.map(({ name }) => name));
  const kept = publishes.filter(({ message }) => !broadcasts.has(message.channel));
  const keptOnes = new Set<Deliver | Publish>(kept);
  const others = changes.filter((change) => !keptOnes.has(change));
  const results = new Map<Deliver | Publish, Mailed>();
  if (kept.length > 0) {
    const messages = kept.map(({ message }) => message);
    const receivers = await inTransaction(database, (transaction) => keep(transaction, runner, database, messages));
    for (const [index, change] of kept.entries()) results.set(change, { receivers: receivers[index] ?? 0, missed: [] });
  }
  if (others.length > 0) {
    const mailed = await mailOnMysql(transact, database, others);
    for (const [index, change] of others.entries()) results.set(change, mailed[index] as Mailed);
  }
  return changes.map((change) => results.get(change) as Mailed);
}

/** Gives how many were called for each: one or none. */
async function keep(
  transaction: Transaction,
  runner: Runner,
  { naming }: Pick<Database, "naming">,
  messages: readonly ChannelMessage[],
): Promise<number[]> {
  const rows = messages.map(
    ({ fingerprint, channel, attributes, data, at }): Row => ({
      fingerprint,
      channel,
      attributes: JSON.stringify(attributes),
      data,
      at,
    }),
  );
  const statements = partsOf(rows).map((part) => {
    const list = tuples(["fingerprint", "channel", "attributes", "data", "at"], part);
    const text = `insert ignore into romancy_channel_messages (id, channel, attributes, data, created_at) values ${list.text}`;
    return { text: qualify(text, naming), values: list.values };
  });
  await transaction.together?.(statements);
  const queries = runner.on(transaction);
  const receivers = new Map<ChannelMessage, number>();
  for (const [channel, group] of Map.groupBy(messages, (message) => message.channel)) {
    const called = await callWaiting(queries, channel, group[0]?.at ?? 0, group.length);
    for (const message of group.slice(0, called)) receivers.set(message, 1);
  }
  return messages.map((message) => receivers.get(message) ?? 0);
}
