/** Random batches of changes, and instances that they may or may not apply to. */
import {
  type Arbitrary,
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  option,
  record,
  string,
  tuple,
} from "fast-check";
import type { OutgoingEvent } from "../../src/core/action.ts";
import type { Advance, Change, Create, InstancePatch } from "../../src/core/commit.ts";
import type { HistoryEvent } from "../../src/core/history.ts";

/** Texts that are hard to put into statements. */
export const text: Arbitrary<string> = oneof(
  constantFrom(
    "",
    "'",
    '"',
    "\\",
    "\\'",
    "{}",
    "NULL",
    "null",
    "a,b",
    "?",
    "$1",
    ":id",
    "%",
    "\n",
    "--",
    ";",
    "ä",
    "𝄞",
  ),
  string({ unit: "grapheme", maxLength: 12 }).filter((value) => !value.includes("\0")),
);

/** Ids of which some differ in case, accents or trailing spaces only. */
export const IDS: readonly string[] = ["a", "A", "ä", "a ", "á", "b'c", 'd"e', "f\\g", "h,i", "{j}", "NULL", "ß", "ss"];

/** Few, so that changes meet. */
const id = constantFrom(...IDS.slice(0, 5));

export const create: Arbitrary<Create> = record({
  type: constant("create" as const),
  instance: record({
    id,
    workflow: text.filter((name) => name !== ""),
    status: constantFrom("pending" as const, "running" as const),
    input: text.map((value) => JSON.stringify([value])),
    tags: option(text.map((value) => JSON.stringify({ tag: value }))),
    priority: nat(5),
    version: option(text),
    traceContext: option(text.map((value) => JSON.stringify({ traceparent: value }))),
    workerId: constantFrom(null, "worker-1"),
    createdAt: integer({ min: 1_000_000, max: 1_000_010 }),
  }),
});

const event = record({
  kind: constant("activity_completed" as const),
  operationId: text,
  at: nat(1_000),
  result: text.map((value) => JSON.stringify(value)),
});

const at = nat(1_000);

const patch: Arbitrary<InstancePatch> = oneof(
  record({ event: constant("complete" as const), at, output: text }),
  record({ event: constant("fail" as const), at, error: text, compensationErrors: option(text) }),
  record({ event: constant("cancel" as const), at, error: option(text), compensationErrors: option(text) }),
  record({ event: constant("compensate" as const), at, error: option(text) }),
  record({ event: constant("block" as const), at, error: text }),
  record({ event: constant("progress" as const), at, error: option(text) }),
  record({ event: constant("suspend" as const), at, error: option(text), wakeAt: option(at), signals: nat(1) }),
);

const outgoing: Arbitrary<OutgoingEvent> = record({
  id: text,
  attributes: record({ id: text, type: text }),
  body: option(text),
  isBinary: boolean(),
  at: nat(1_000),
});

/** Epochs around those that instances have, and places in history of which some are taken. */
export const advance: Arbitrary<Advance> = record({
  instanceId: id,
  epoch: constantFrom(0, 1, 1, 1, 1, 2),
  events: array(event, { maxLength: 3 }),
  first: integer({ min: 1, max: 6 }),
  patch: option(patch, { nil: undefined }),
  posts: array(outgoing, { maxLength: 2 }),
  asked: array(outgoing, { maxLength: 2 }),
  // Places in history that nothing else has taken.
  place: integer({ min: 1_000, max: 2 ** 40 }),
  knowsOfCancel: boolean(),
  isCompensating: boolean(),
})
  .filter(({ events, patch: change }) => events.length > 0 || change !== undefined)
  .map(({ first, events, posts, asked, place, isCompensating, ...rest }) => ({
    type: "advance",
    ...rest,
    // Nothing completes that is being undone.
    isCompensating: isCompensating && rest.patch?.event !== "complete",
    posts: posts.map((event) => ({ type: "emit", event })),
    actions: asked.map((event, index) => ({
      seq: place + index,
      operationId: `send_event:${index}`,
      at: 7,
      request: { type: "emit", event },
    })),
    events: events.map((item, index): HistoryEvent => ({ ...item, seq: first + index })),
  }));

const MOST = 50;

/** Instances that the changes of `crowd` advance. */
export const CROWD: readonly string[] = Array.from({ length: MOST }, (_, n) => `old-${n}`);

/** As most advances are: they send nothing, and end their instances at most. */
const plain: Arbitrary<Advance> = tuple(advance, patch, event).map(([change, end, item]) => {
  const patch = end.event === "compensate" ? undefined : end;
  const events = change.events.length > 0 || patch ? change.events : [{ ...item, seq: 1 }];
  return { ...change, events, patch, posts: [], actions: [], isCompensating: false };
});

/** Many changes at once, of one instance each, that all apply, but for those that are drawn not to. */
export const crowd: Arbitrary<Change[]> = tuple(
  array(oneof({ weight: 2, arbitrary: create }, { weight: 1, arbitrary: advance }, { weight: 9, arbitrary: plain }), {
    minLength: 2,
    maxLength: MOST,
    size: "max",
  }),
  oneof(constant<number[]>([]), array(nat(MOST - 1), { minLength: 1, maxLength: 2 })),
).map(([changes, spoilt]) =>
  changes.map((change, n) => {
    if (change.type === "create") {
      return {
        ...change,
        instance: { ...change.instance, id: spoilt.includes(n) ? (CROWD[0] as string) : `new-${n}` },
      };
    }
    return { ...change, instanceId: CROWD[n] as string, epoch: spoilt.includes(n) ? 2 : 1 };
  }),
);

/** Each instance advances once at most, as runs see to; ids may be created twice, but not advanced as well. */
export const batch: Arbitrary<Change[]> = array(
  oneof({ weight: 1, arbitrary: create }, { weight: 3, arbitrary: advance }),
  { minLength: 1, maxLength: 8 },
).map((changes) => {
  const advanced = new Set<string>();
  const created = new Set(changes.flatMap((change) => (change.type === "create" ? [change.instance.id] : [])));
  return changes.filter((change) => {
    if (change.type === "create") return true;
    if (advanced.has(change.instanceId) || created.has(change.instanceId)) return false;
    advanced.add(change.instanceId);
    return true;
  });
});
