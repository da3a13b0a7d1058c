/** What changes write of their own instance, in statements that need no answer but whether the first one found its row. */
import type { ActionRequest, Post } from "../../core/action.ts";
import type { Advance, Change, Create } from "../../core/commit.ts";
import { eventRow, newRow, patchRow, subscriptionRows } from "../rows.ts";
import type { Params } from "../runner.ts";
import type { Statement } from "../statement.ts";
import { unsubscribeFromChannels } from "../statements/channels.ts";
import { leaveGroups } from "../statements/groups.ts";
import { appendEvent, appendEventFenced } from "../statements/history.ts";
import {
  blockInstance,
  compensateInstance,
  finishInstance,
  insertInstance,
  noteProgress,
  suspendInstance,
} from "../statements/instances.ts";
import { emptyInbox, markRead, subscribe, unsubscribeAll } from "../statements/messages.ts";

export interface Write {
  readonly statement: Statement<string>;
  readonly params: Params<string>;
}

/** Whether it changes instances' rows, histories, outboxes and what they hear of, starts others, and changes no others. */
export function isPlain(change: Change): change is Create | Advance {
  return change.type === "create" || (isPlainAdvance(change) && change.report === undefined);
}

/** Whether it is plain but for this, that a parent may be to be told of it. */
export function isReport(change: Change): change is Advance {
  return isPlainAdvance(change) && change.report !== undefined;
}

/** Whether it is plain but for what it receives from channels. */
export function isReceiving(change: Change): change is Advance {
  return isSimple(change) && change.report === undefined && !isPlainAdvance(change) && allActions(change, isFound);
}

function isPlainAdvance(change: Change): change is Advance {
  return isSimple(change) && allActions(change, isForeseen);
}

/** Whether, but for its actions, it changes only what is its instance's own. */
function isSimple(change: Change): change is Advance {
  if (change.type !== "advance" || change.patch?.event === "recur") return false;
  return (change.rejoins ?? []).length === 0 && (change.posts ?? []).every(isForeseen);
}

function allActions({ actions = [] }: Advance, holds: (request: ActionRequest) => boolean): boolean {
  return actions.every(({ request }) => holds(request));
}

/** Whether what comes of it can be found out before it is written. */
function isFound(request: ActionRequest): boolean {
  return isForeseen(request) || request.type === "receive" || request.type === "take";
}

/** Whether what comes of it is known before. */
function isForeseen({ type }: Post | ActionRequest): boolean {
  return type === "emit" || type === "start_child";
}

/** Whether what `writesOfCreate` or `writesOfAdvance` gives is all that there is to the change. */
export function isWriteOnly(change: Change): change is Create | Advance {
  if (!isPlain(change)) return false;
  return change.type === "create" || (change.posts ?? []).length + (change.actions ?? []).length === 0;
}

/** The first changes no row when the id exists; then the others are not to be written. */
export function writesOfCreate(change: Create): Write[] {
  return [write(insertInstance, newRow(change.instance)), ...subscriptionsOf(change)];
}

/** The first changes no row when the advance does not apply; then the others are not to be written. */
export function writesOfAdvance(change: Advance): Write[] {
  const { instanceId, epoch, events, patch, reads = [], clears } = change;
  const writes: Write[] = [];
  const [row] = patchRow(change);
  if (patch && row && patch.event !== "recur") writes.push(write(PATCHES[patch.event], row));
  for (const event of events) {
    const columns = eventRow(instanceId, event);
    const isFenced = patch !== undefined || writes.length > 0;
    writes.push(isFenced ? write(appendEvent, columns) : write(appendEventFenced, { ...columns, epoch }));
  }
  for (const { position, at } of reads) writes.push(write(markRead, { instanceId, position, at }));
  writes.push(...subscriptionsOf(change));
  for (const statement of clears ? MAIL : []) writes.push(write(statement, { instanceId }));
  return writes;
}

function subscriptionsOf(change: Create | Advance): Write[] {
  return subscriptionRows(change).map((row) => write(subscribe, row));
}

type Patched = NonNullable<Advance["patch"]>["event"];

/** How a row changes; each only where it is the committer's, and is not called off. */
const PATCHES = {
  complete: finishInstance,
  fail: finishInstance,
  cancel: finishInstance,
  compensate: compensateInstance,
  suspend: suspendInstance,
  progress: noteProgress,
  block: blockInstance,
} satisfies Record<Exclude<Patched, "recur">, Statement<string>>;

/** Removes what was sent to an instance, what it hears of and what it belongs to. */
const MAIL = [unsubscribeAll, unsubscribeFromChannels, leaveGroups, emptyInbox];

function write<Name extends string>(statement: Statement<Name>, params: Params<Name>): Write {
  return { statement, params };
}
