/** Every hot statement is served by an index, by the database's own plan for 100,000 instances. */
import { expect, it } from "vitest";
import type { Bindable } from "../../src/store/sql.ts";
import { type Compiled, compile, type Statement } from "../../src/store/statement.ts";
import * as chains from "../../src/store/statements/chains.ts";
import * as channels from "../../src/store/statements/channels.ts";
import * as groups from "../../src/store/statements/groups.ts";
import * as history from "../../src/store/statements/history.ts";
import * as instances from "../../src/store/statements/instances.ts";
import { type Form, listing, type Source } from "../../src/store/statements/listing.ts";
import * as messages from "../../src/store/statements/messages.ts";
import * as operations from "../../src/store/statements/operations.ts";
import * as outbox from "../../src/store/statements/outbox.ts";
import * as retention from "../../src/store/statements/retention.ts";
import * as workers from "../../src/store/statements/workers.ts";
import { testDatabase } from "../support/apps.ts";
import { databaseKind, dialectName } from "../support/database.ts";
import { type OpenStore, openStore } from "./stores.ts";

const DUE = /romancy_instances_due/;
const OWNER = { sqlite: /romancy_instances_owner/, postgres: /romancy_instances_owner/, mysql: DUE };
const KEY = { sqlite: /autoindex_romancy_instances|PRIMARY KEY/, postgres: /_pkey/, mysql: /PRIMARY/ };

const INBOX = {
  sqlite: /romancy_inbox.*PRIMARY KEY|romancy_inbox/,
  postgres: /romancy_inbox_(pkey|fingerprint)/,
  mysql: /PRIMARY/,
};
const SUBSCRIPTIONS = { ...INBOX, sqlite: /PRIMARY KEY/, postgres: /romancy_subscriptions_pkey/ };

const CHANNEL = {
  ...SUBSCRIPTIONS,
  postgres: /romancy_channel_subscriptions_(pkey|waiting|instance)/,
  mysql: /PRIMARY|_waiting/,
};

const EVENTS_DUE = /romancy_outbox_(due|dead)/;
const EVENT_KEY = { sqlite: /INTEGER PRIMARY KEY/, postgres: /romancy_outbox_pkey/, mysql: /PRIMARY/ };

/** Keys and indexes that begin with an instance. */
const DELETED = /PRIMARY|_pkey|_instance\b|_fingerprint|autoindex/;

type Expected = RegExp | Readonly<Record<typeof dialectName, RegExp>>;

const HOT: readonly (readonly [string, Statement<string, unknown>, Expected])[] = [
  ["claim", dialectName === "mysql" ? instances.lockDue : instances.claimDue, DUE],
  ["claim these", instances.claimThese, KEY],
  ["next due", instances.nextDue, DUE],
  ["survey", workers.survey, DUE],
  ["owned", instances.ownedBy, OWNER],
  ["sweep", instances.freeInstancesOf, OWNER],
  ["free orphans", instances.freeOrphans, OWNER],
  ["orphans to block", instances.orphansToBlock, OWNER],
  ["unblock", instances.unblockInstances, /romancy_instances_(blocked|workflow)/],
  ["finish", instances.finishInstance, KEY],
  ["suspend", instances.suspendInstance, KEY],
  ["compensate", instances.compensateInstance, KEY],
  ["request a cancel", instances.requestCancel, KEY],
  ["reopen", instances.reopenInstance, KEY],
  ["append a retry", history.appendRetry, KEY],
  ["retry", instances.retryInstance, KEY],
  // MySQL reads the end of the index before it runs the statement.
  ["append that it was retried", history.appendRetried, { ...KEY, mysql: /optimized away/ }],
  ["was retried", history.hasRetried, KEY],
  ["what workers hold", operations.listWorkers, OWNER],
  ["overdue", operations.overdueInstances, DUE],
  ["blocked", operations.blockedInstances, /romancy_instances_(blocked|workflow)/],
  ["backlog of events", operations.outboxBacklog, /romancy_outbox_(dead|due)/],
  ["append", history.appendEventFenced, KEY],
  ["history", history.historyPage, KEY],
  ["ended", instances.endedAmong, KEY],
  ["called", messages.called, OWNER],
  ["answer calls", messages.answerCall, /romancy_instances_owner|_pkey|PRIMARY|romancy_instances_due/],
  ["raise", messages.raise, KEY],
  ["subscribers", messages.subscribers, SUBSCRIPTIONS],
  ["unread", messages.unread, INBOX],
  ["mark read", messages.markRead, INBOX],
  ["unsubscribe", messages.unsubscribeAll, /romancy_subscriptions_instance/],
  ["oldest messages", channels.oldestMessages, /romancy_channel_messages_open/],
  ["open messages", channels.openMessages, /romancy_channel_messages_open/],
  ["longest waiting", channels.longestWaiting, /romancy_channel_subscriptions_waiting/],
  ["listeners", channels.listeners, CHANNEL],
  ["subscription", channels.subscriptionModes, CHANNEL],
  ["unsubscribe from channels", channels.unsubscribeFromChannels, /romancy_channel_subscriptions_instance/],
  ["members", groups.membersOf, { ...SUBSCRIPTIONS, postgres: /romancy_groups_pkey/ }],
  ["leave groups", groups.leaveGroups, /romancy_groups_instance/],
  ["events to send", outbox.lockDueEvents, EVENTS_DUE],
  ["events before them", outbox.lockDueEvents, /romancy_outbox_order/],
  ["claim events", outbox.claimEvents, EVENT_KEY],
  ["publish events", outbox.publishEvents, EVENT_KEY],
  ["fail an event", outbox.failEvent, EVENT_KEY],
  ["wake events", outbox.wakeEvents, /romancy_outbox_(order|due)/],
  ["next event", outbox.nextDueEvent, EVENTS_DUE],
  ["next event of the survey", workers.survey, EVENTS_DUE],
  ["orphaned events", outbox.freeOrphanEvents, /romancy_outbox_owner/],
  ["free events", outbox.freeEventsOf, /romancy_outbox_owner/],
  ["taken messages", channels.forgetTaken, /romancy_channel_messages_taken/],
  ["unclaimed messages", channels.forgetUnclaimed, /romancy_channel_messages_(created|taken)/],
  ["published events", outbox.forgetPublished, /romancy_outbox_published/],
  ["list events", outbox.listEvents, EVENT_KEY],
  ["list events of a status", outbox.listOpenEvents, /romancy_outbox_(dead|due)/],
  ["list events of an instance", outbox.listEventsOf, /romancy_outbox_order/],
  ["given up events", retention.forgetGivenUp, /romancy_outbox_(given_up|due)/],
  ["window", retention.windowEnd, /romancy_instances_created/],
  ["ended trees", retention.endedTrees, /romancy_instances_created/],
  ["held trees", retention.endedTrees, /romancy_instances_root/],
  ["count members", retention.countMembers, /romancy_instances_root/],
  ["lock roots", retention.lockRoots, KEY],
  ["lock members", retention.lockMembers, /romancy_instances_root/],
  ...retention.deletions.map((statement) => [statement.name, statement, DELETED] as const),
  ["last of chain", chains.lastOfChain, { ...SUBSCRIPTIONS, postgres: /romancy_chains_pkey/ }],
];

const idOf = (n: number): string => `0190-${String(n).padStart(8, "0")}`;

type Listing = readonly [string, Form, RegExp, Readonly<Record<string, Bindable>>];

/** Listings are read in their order: nothing is sorted but the ends of ranges that were merged. */
const LISTINGS: readonly Listing[] = (["newest", "oldest"] as const).flatMap((order): Listing[] => {
  const form = (source: Source): Form => ({ source, order, inputs: 0 });
  const bounds = { endAt: order === "newest" ? 0 : 9e15 };
  return [
    ["all", form({ type: "all" }), /romancy_instances_created/, bounds],
    ["a time", form({ type: "all" }), /romancy_instances_created/, { endAt: order === "newest" ? 49_000 : 51_000 }],
    ["a status", form({ type: "statuses", statuses: ["failed"] }), /romancy_instances_status/, bounds],
    [
      "statuses",
      form({ type: "statuses", statuses: ["failed", "blocked", "waiting"] }),
      /romancy_instances_status/,
      bounds,
    ],
    ["a workflow", form({ type: "all" }), /romancy_instances_created/, { ...bounds, anyWorkflow: 0 }],
    ["a parent", form({ type: "parent" }), /romancy_instances_parent/, { ...bounds, parentId: idOf(3) }],
    ["a root", form({ type: "root" }), /romancy_instances_root/, { ...bounds, rootId: idOf(3) }],
    ["an input", { ...form({ type: "all" }), inputs: 1 }, /romancy_instances_created/, bounds],
  ];
});

/** An instance that has an owner. */
const OWNED = idOf(201);

/** Values as a busy worker binds them. */
const VALUES: Readonly<Record<string, Bindable>> = {
  id: OWNED,
  ids: Array.from({ length: 100 }, (_, n) => idOf(n * 7)),
  workflows: ["flow", "other"],
  workerId: "worker-1",
  now: 5_000_000,
  at: 5_000_000,
  limit: 100,
  leastRecoveries: 0,
  mostRecoveries: 1,
  maxRecoveries: 10,
  died: 1,
  quarantine: "{}",
  epoch: 0,
  signals: 0,
  wakeAt: 6_000_000,
  status: "completed",
  output: "1",
  error: null,
  compensationErrors: null,
  knowsOfCancel: 0,
  reason: null,
  seq: 9,
  kind: "activity_completed",
  operationId: "step:1",
  instanceId: OWNED,
  data: "1",
  afterId: idOf(0),
  afterSeq: 0,
  ...listingValues(),
  type: "type-7",
  key: "key-7",
  position: 1,
  afterPosition: 0,
  channel: "channel-1",
  before: 50,
  group: "group-7",
  positions: ["9000", "9001"],
  instances: [idOf(9_000), idOf(9_001)],
  token: "token",
  attempts: 1,
  delay: 1_000,
  after: 500,
  behind: 0,
  behindId: idOf(0),
  upTo: 1_500,
  upToId: idOf(1_500),
  anyWorkflow: 0,
  noOther: 0,
  others: ["other"],
};

/** A page in the midst of a listing; nothing but what its form asks for. */
function listingValues(): Record<string, Bindable> {
  const input = {
    value0: '"a"',
    path0: "$[0]",
    lists0: '["$"]',
    richPath0: '$."$rich"."json"[0]',
    richLists0: '["$"]',
  };
  return {
    startAt: 50_000,
    startId: idOf(50_000),
    endAt: 0,
    anyStatus: 1,
    statuses: [],
    anyWorkflow: 1,
    version: null,
    idFrom: null,
    idTo: null,
    search: null,
    tags: null,
    parentId: null,
    rootId: null,
    updatedFrom: 0,
    updatedBefore: 9e15,
    anyEnd: 1,
    completedFrom: 0,
    completedBefore: 0,
    ...input,
  };
}

const TABLES = [
  "instances",
  "history",
  "history_archive",
  "inbox",
  "subscriptions",
  "channel_subscriptions",
  "channel_messages",
  "groups",
  "chains",
  "outbox",
];

const COUNT = 100_000;
const CHUNK = 10_000;

/** What one in fifty is, each. */
const RARE: Readonly<Record<number, string>> = {
  10: "failed",
  11: "cancelled",
  12: "recurred",
  13: "compensating",
  15: "pending",
};

/** Most have ended; some wait, some are due, owned or blocked. One in ten is another's child. */
function row(n: number): string {
  const isChild = n % 10 === 4;
  const parent = isChild ? `'${idOf(n - (n % 1_000) + 3)}'` : "null";
  const root = isChild ? parent : `'${idOf(n)}'`;
  const columns = (status: string, worker: string, wake: string, completed: string): string =>
    `('${idOf(n)}', '${isChild ? "child" : "flow"}', '${status}', '[1]', ${parent}, ${root}, ${n}, ${n}, ${worker}, ${wake}, ${completed})`;
  if (n % 200 === 0) return columns("waiting", "null", String(n * 100), "null");
  if (n % 200 === 1) return columns("running", `'worker-${n % 3}'`, "null", "null");
  if (n % 1_000 === 2) return columns("blocked", "null", "null", "null");
  const status = RARE[n % 50] ?? "completed";
  return columns(status, "null", "null", ["pending", "compensating"].includes(status) ? "null" : String(n));
}

async function fill(): Promise<void> {
  for (let first = 0; first < COUNT; first += CHUNK) {
    const numbers = Array.from({ length: CHUNK }, (_, n) => first + n);
    await testDatabase().exec(`insert into romancy_instances
      (id, workflow, status, input, parent_id, root_id, created_at, updated_at, worker_id, wake_at, completed_at)
      values ${numbers.map(row).join(", ")}`);
    await testDatabase().exec(`insert into romancy_history (instance_id, seq, kind, operation_id, data, at)
      values ${numbers.map((n) => `('${idOf(n)}', 1, 'activity_completed', 'step:1', '1', ${n})`).join(", ")}`);
  }
  for (let first = 0; first < COUNT; first += CHUNK) {
    const numbers = Array.from({ length: CHUNK }, (_, n) => first + n);
    await testDatabase().exec(`insert into romancy_subscriptions (type, message_key, instance_id)
      values ${numbers.map((n) => `('type-${n % 100}', 'key-${n}', '${idOf(n)}')`).join(", ")}`);
    await testDatabase().exec(`insert into romancy_inbox
      (instance_id, position, type, message_key, fingerprint, attributes, data, created_at)
      values ${numbers.map((n) => `('${idOf(n)}', 1, 'type-1', 'key-1', '${n}', '{}', '1', ${n})`).join(", ")}`);
  }
  await testDatabase().exec("insert into romancy_history_archive select * from romancy_history");
  await fillChannels();
  await fillOutbox();
  // As servers do by themselves from time to time.
  if (dialectName === "postgres") await testDatabase().exec("analyze");
  if (dialectName === "mysql")
    await testDatabase().rows(`analyze table ${TABLES.map((table) => `romancy_${table}`).join(", ")}`);
}

/** Most messages have been taken; some subscribers wait. */
async function fillChannels(): Promise<void> {
  const numbers = Array.from({ length: CHUNK }, (_, n) => n);
  const rowsOf = (row: (n: number) => string): string => numbers.map((n) => `(${row(n)})`).join(", ");
  await testDatabase().exec(`insert into romancy_channels (name, mode) values
    ${Array.from({ length: 100 }, (_, n) => `('channel-${n}', '${n % 2 === 0 ? "broadcast" : "competing"}')`).join(", ")}`);
  await testDatabase().exec(`insert into romancy_channel_subscriptions (channel, instance_id, mode, waiting_since)
    values ${rowsOf((n) => `'channel-${n % 100}', '${idOf(n)}', 'competing', ${n % 1_000 < 100 ? n : "null"}`)}`);
  await testDatabase().exec(`insert into romancy_channel_messages (id, channel, attributes, data, created_at, taken_at)
    values ${rowsOf((n) => `'m-${n}', 'channel-${n % 100}', '{}', '1', ${n}, ${n % 20 === 1 ? "null" : n}`)}`);
  await testDatabase().exec(`insert into romancy_groups (name, instance_id)
    values ${rowsOf((n) => `'group-${n % 100}', '${idOf(n)}'`)}`);
  await testDatabase().exec(`insert into romancy_chains (chain_id, generation, instance_id)
    values ${rowsOf((n) => `'chain-${n % 100}', ${Math.floor(n / 100)}, '${idOf(n)}'`)}`);
}

/** Most events have been published; some are due or being sent, some wait for their next try, some were given up. */
async function fillOutbox(): Promise<void> {
  const row = (n: number): string => {
    const columns = (status: string, next: number, published: number | null, worker: number | null): string => {
      const owner = worker === null ? "null, null" : `'worker-${worker}', 'token'`;
      return `('${idOf(n)}', 'e-${n}', '{}', '1', 0, '${status}', ${next}, ${n}, ${n}, ${published}, ${owner})`;
    };
    if (n % 100 === 0) return columns("pending", n % 300 === 0 ? n : 9e15, null, null);
    if (n % 100 === 1) return columns("pending", n, null, n % 3);
    if (n % 1_000 === 2) return columns("failed", n, null, null);
    return columns("published", n, n, null);
  };
  const numbers = Array.from({ length: CHUNK }, (_, n) => n);
  for (let copy = 0; copy < 3; copy++) {
    await testDatabase().exec(`insert into romancy_outbox
      (instance_id, id, attributes, body, is_binary, status, next_at, queued_at, created_at, published_at, claimed_by, claim_token)
      values ${numbers.map(row).join(", ")}`);
  }
}

const EXPLAIN = { sqlite: "explain query plan", postgres: "explain", mysql: "explain format=traditional" }[dialectName];

/** The plan as text, a line for each step. */
async function planOf(
  { database }: OpenStore,
  statement: Statement<string, unknown>,
  bound: Readonly<Record<string, Bindable>> = VALUES,
): Promise<string[]> {
  const { dialect, naming, reader } = database;
  const compiled = compile(statement, dialect, naming);
  const explained: Compiled = {
    ...compiled,
    name: "explain",
    isPrepared: false,
    text: `${EXPLAIN} ${compiled.text}`,
  };
  const values = compiled.keys.map((key) => {
    const value = bound[key] as Bindable;
    expect(value, key).toBeDefined();
    return Array.isArray(value) ? dialect.bindList(value) : value;
  });
  const rows = await reader.all(explained, values);
  return rows.map((step) =>
    Object.entries(step)
      .map(([column, value]) => `${column}=${String(value)}`)
      .join(" "),
  );
}

const LARGE = `(i|romancy_(${TABLES.join("|")}))`;

/** A step that reads a large table whole. */
const WHOLE = {
  sqlite: new RegExp(`detail=SCAN ${LARGE}$`),
  postgres: new RegExp(`Seq Scan on ${LARGE}\\b`),
  // The table that is inserted into is listed like one that is read.
  mysql: new RegExp(`select_type=(?!INSERT)\\S+ table=${LARGE} .*\\btype=(ALL|index)\\b`),
}[dialectName];

/** Steps that sort what they have read of a large table, which may be much; not those that sort what ranges gave. */
function sortsOf(plan: readonly string[]): string[] {
  if (dialectName === "postgres")
    return plan.filter((step) => /(PLAN=|-> {2})Sort {2}\(cost=\S+ rows=(?!1 )/.test(step));
  if (dialectName === "mysql") return plan.filter((step) => OF_LARGE.test(step) && step.includes("Using filesort"));
  const parentOf = (step: string): string | undefined => /parent=(\d+)/.exec(step)?.[1];
  const reads = new Set(plan.filter((step) => OF_LARGE.test(step)).map(parentOf));
  return plan.filter((step) => step.includes("USE TEMP B-TREE") && reads.has(parentOf(step)));
}

const OF_LARGE = new RegExp(`(SEARCH |SCAN |table=)${LARGE}\\b`);

it(`serves every hot statement from an index on ${databaseKind}`, { timeout: 120_000 }, async () => {
  const store = await openStore();
  await fill();
  for (const [name, statement, expected] of HOT) {
    const plan = await planOf(store, statement);
    const index = expected instanceof RegExp ? expected : expected[dialectName];
    expect(plan.join("\n"), name).toMatch(index);
    expect(
      plan.filter((step) => WHOLE.test(step)),
      name,
    ).toEqual([]);
  }
  for (const [name, form, expected, values] of LISTINGS) {
    const plan = await planOf(store, listing(form), { ...VALUES, ...values });
    expect(plan.join("\n"), `${name}, ${form.order} first`).toMatch(expected);
    expect([...plan.filter((step) => WHOLE.test(step)), ...sortsOf(plan)], name).toEqual([]);
  }
});
