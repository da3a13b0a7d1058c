/** Messages that are kept for whoever competes for them, all of a channel together, on MySQL and MariaDB. */
import type { ChannelMessage } from "../../core/action.ts";
import type { Publish } from "../../core/commit.ts";
import type { Text, Together } from "../database.ts";
import type { Queries } from "../runner.ts";
import { callWaiting, type Mailed } from "./mail.ts";
import { partsOf, type Row, tuples } from "./mysql-rows.ts";

/** Applies the changes in the transaction that both arguments are of. Copies of messages that are there call nobody. */
export async function keepOnMysql(
  together: Together,
  queries: Queries,
  changes: readonly Publish[],
): Promise<Mailed[]> {
  const messages = changes.map(({ message }) => message);
  const called = new Set<ChannelMessage>();
  for (const [channel, group] of Map.groupBy(messages, (message) => message.channel)) {
    const kept = (await together(insertsOf(group))).reduce((sum: number, count) => sum + Number(count), 0);
    const count = await callWaiting(queries, channel, group[0]?.at ?? 0, kept);
    for (const message of group.slice(0, count)) called.add(message);
  }
  return messages.map((message) => ({ receivers: called.has(message) ? 1 : 0, missed: [] }));
}

function insertsOf(messages: readonly ChannelMessage[]): Text[] {
  const rows = messages.map(
    ({ attributes, fingerprint, channel, data, at }): Row => ({
      fingerprint,
      channel,
      attributes: JSON.stringify(attributes),
      data,
      at,
    }),
  );
  return partsOf(rows).map((part) => {
    const { text, values } = tuples(["fingerprint", "channel", "attributes", "data", "at"], part);
    return {
      text: `insert ignore into romancy_channel_messages (id, channel, attributes, data, created_at) values ${text}`,
      values,
    };
  });
}
