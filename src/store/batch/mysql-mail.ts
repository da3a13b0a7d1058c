/**
 * Messages to instances, all of a batch in one round trip on MySQL and MariaDB.
 *
 * 1. All receivers are locked first, in the order of their ids, as by all who lock several: each message by itself would
 *    come to them in an order of its own, and wait for who waits for it.
 * 2. Whom messages are for is found out by each statement anew: who went on as another while its row was waited for has
 *    handed on what it heard of. So all is done twice, the second time for those who lack the message.
 * 3. The counts of deliveries are also the places in the inboxes: they are raised by as many as there are messages, and
 *    the messages are put there in their order.
 * 4. An event is for those who hear of its type with its key, and with none.
 */
import type { Deliver, NewMessage, Publish } from "../../core/commit.ts";
import type { Row as Found, Text, Together } from "../database.ts";
import type { Dialect } from "../dialect.ts";
import { inboxMessage, type Mailed } from "./mail.ts";
import { partsOf, type Row, table } from "./mysql-rows.ts";

/** Without one the order of a table within a statement counts for nothing. */
const NO_LIMIT = "18446744073709551615";

/** Whom a message is for: who hears of such events, who has subscribed to a broadcast channel, or one instance. */
type Address = "event" | "channel" | "instance";

interface Letter {
  /** Its place in the batch. */
  readonly n: number;
  readonly address: Address;
  readonly instanceId: string | undefined;
  readonly message: NewMessage;
  /** The same as it is put into inboxes. */
  readonly row: Row;
}

/** Applies the changes together. */
export async function mailOnMysql(
  transact: Together,
  dialect: Dialect,
  changes: readonly (Deliver | Publish)[],
): Promise<Mailed[]> {
  const letters = changes.map(letterOf);
  const statements = [hold(letters, dialect)];
  for (const part of inParts(letters)) {
    statements.push(...delivery(part, dialect, false));
    const others = part.filter(({ address }) => address !== "instance");
    if (others.length > 0) statements.push(...delivery(others, dialect, true));
  }
  const [held] = await transact(statements);
  const received = changes.map(() => 0);
  for (const { n } of held as readonly Found[]) received[Number(n)] = (received[Number(n)] ?? 0) + 1;
  return letters.map(({ instanceId }, n) => {
    const receivers = received[n] ?? 0;
    return { receivers, missed: instanceId !== undefined && receivers === 0 ? [instanceId] : [] };
  });
}

/** Messages to single instances, whose rows are held, and which have not ended. */
export async function putOnMysql(together: Together, dialect: Dialect, messages: readonly Deliver[]): Promise<void> {
  await together(inParts(messages.map(letterOf)).flatMap((part) => delivery(part, dialect, false)));
}

function letterOf(change: Deliver | Publish, n: number): Letter {
  if (change.type === "publish") {
    const message = inboxMessage(change.message);
    return { n, address: "channel", instanceId: undefined, message, row: rowOf(n, message) };
  }
  const { instanceId, message } = change;
  return { n, address: instanceId === undefined ? "event" : "instance", instanceId, message, row: rowOf(n, message) };
}

/** So that no statement is larger than servers take, or has two copies of a message, of which the first one counts. */
function inParts(letters: readonly Letter[]): Letter[][] {
  return partsOf(rowsOf(letters)).flatMap((rows) => withoutCopies(rows.map(({ n }) => letters[Number(n)] as Letter)));
}

/** Parts begin where a message comes again. */
function withoutCopies(letters: readonly Letter[]): Letter[][] {
  const parts: Letter[][] = [];
  const seen = new Set<string>();
  for (const letter of letters) {
    const { fingerprint } = letter.message;
    if (parts.length === 0 || seen.has(fingerprint)) {
      parts.push([]);
      seen.clear();
    }
    seen.add(fingerprint);
    parts.at(-1)?.push(letter);
  }
  return parts;
}

function rowsOf(letters: readonly Letter[]): Row[] {
  return letters.map(({ row }) => row);
}

function rowOf(n: number, { key, attributes, ...columns }: NewMessage): Row {
  return { ...columns, n, message_key: key, attributes: JSON.stringify(attributes) };
}

/** Gives a row for each message and receiver (1). */
function hold(letters: readonly Letter[], dialect: Dialect): Text {
  const { text, values } = audience(letters, dialect, false);
  return {
    text: `select r.n from (
        select n, id from (${text}) as every order by id limit ${NO_LIMIT}
      ) as r straight_join romancy_instances i on i.id = r.id where i.completed_at is null for update`,
    values,
  };
}

/** @param isSecond whether it is for those who lack the message */
function delivery(letters: readonly Letter[], dialect: Dialect, isSecond: boolean): Text[] {
  const { text, values } = audience(letters, dialect, isSecond);
  const columns = ["n", "type", "message_key", "fingerprint", "attributes", "data", "at"];
  const messages = table(columns, rowsOf(letters), dialect);
  return [
    {
      text: `update (select id, count(*) as times, min(at) as at from (${text}) as every group by id) as r
        straight_join romancy_instances i on i.id = r.id
        set i.signals = i.signals + r.times,
          i.wake_at = case when i.wake_at <= r.at or i.status = 'blocked' then i.wake_at else r.at end
        where i.completed_at is null`,
      values,
    },
    // Who hears of it since that moment has no place for it yet.
    {
      text: `insert ignore into romancy_inbox
        (instance_id, position, type, message_key, fingerprint, attributes, data, created_at)
        select i.id, i.signals - r.later, m.type, m.message_key, m.fingerprint, m.attributes, m.data, m.at
        from (select n, id, row_number() over (partition by id order by n desc) - 1 as later from (${text}) as every) as r
        straight_join romancy_instances i on i.id = r.id straight_join ${messages.text} as m on m.n = r.n
        where i.completed_at is null and i.signals > r.later`,
      values: [...values, ...messages.values],
    },
  ];
}

/** How receivers are found: where one address of a message leads. */
interface Way {
  readonly addresses: (letter: Letter) => Row[];
  readonly join: string;
  /** Whose, in that join. */
  readonly id: string;
}

const EVENTS_WITH = "straight_join romancy_subscriptions s on s.type = m.address and s.message_key =";

const WAYS: readonly Way[] = [
  {
    addresses: ({ address, message: { type } }) => (address === "event" ? [{ address: type }] : []),
    join: `${EVENTS_WITH} ''`,
    id: "s.instance_id",
  },
  // Apart from the others, so that either is found by the index.
  {
    addresses: ({ address, message: { type, key } }) =>
      address === "event" && key ? [{ address: type, message_key: key }] : [],
    join: `${EVENTS_WITH} m.message_key`,
    id: "s.instance_id",
  },
  {
    addresses: ({ address, message: { type } }) => (address === "channel" ? [{ address: type }] : []),
    join: `straight_join romancy_channels c on c.name = m.address and c.mode = 'broadcast'
      straight_join romancy_channel_subscriptions s on s.channel = c.name and s.mode = 'broadcast'`,
    id: "s.instance_id",
  },
  {
    addresses: ({ instanceId }) => (instanceId === undefined ? [] : [{ address: instanceId }]),
    // For an id of the table's kind, which is compared by its bytes.
    join: "straight_join romancy_instances s on s.id = m.address",
    id: "s.id",
  },
];

const HAS_NOT = `where not exists (
  select 1 from romancy_inbox b where b.instance_id = s.instance_id and b.fingerprint = m.fingerprint)`;

/** Gives the place of each message in the batch, its time, and the id of each whom it is for, once. */
function audience(letters: readonly Letter[], dialect: Dialect, isSecond: boolean): Text {
  const texts = WAYS.flatMap(({ addresses, join, id }): Text[] => {
    const rows = letters.flatMap((letter) => {
      const { at, fingerprint } = letter.message;
      return addresses(letter).map((address): Row => ({ n: letter.n, at, fingerprint, ...address }));
    });
    if (rows.length === 0) return [];
    const { text, values } = table(["n", "at", "fingerprint", "address", "message_key"], rows, dialect);
    return [{ text: `select m.n, m.at, ${id} as id from ${text} as m ${join} ${isSecond ? HAS_NOT : ""}`, values }];
  });
  return { text: texts.map(({ text }) => text).join(" union "), values: texts.flatMap(({ values }) => values) };
}
