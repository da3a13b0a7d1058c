/**
 * What plain advances do beside their own rows, and what is recorded of it: known before it is written. They put events
 * into the outbox and start children; a child that is there already fails the batch, and is then judged by itself.
 */
import type { Action } from "../../core/action.ts";
import type { Advance, ChangeResult } from "../../core/commit.ts";
import type { HistoryEvent, NewEvent } from "../../core/history.ts";
import { outgoingOf } from "../../core/outgoing.ts";
import { subscriptionRow } from "../rows.ts";
import { outboxRow } from "../statements/outbox.ts";
import { emitted } from "./actions.ts";
import { childRow, type NewChildRow, started } from "./children.ts";
import { mayBeCalledOff } from "./each.ts";

const NONE: readonly never[] = [];

/** The rows of what they put into the outbox, in order. */
export function outboxRows(advances: readonly Advance[]): ReturnType<typeof outboxRow>[] {
  return advances.flatMap((advance) => outgoingOf(advance).map((event) => outboxRow(advance.instanceId, event)));
}

/** The rows of the children that they start, but for the root of each, which is its parent's. */
export function childRows(advances: readonly Advance[]): NewChildRow[] {
  return advances.flatMap(({ instanceId, actions = [] }) =>
    actions.flatMap((action) =>
      action.request.type === "start_child" ? [childRow(instanceId, action, action.request)] : [],
    ),
  );
}

/** What those children hear of from their birth, and whose change starts them. */
export function childSubscriptionRows(
  advances: readonly Advance[],
): (ReturnType<typeof subscriptionRow> & { readonly changedId: string })[] {
  return advances.flatMap(({ instanceId: changedId, actions = [] }) =>
    actions.flatMap(({ request }) =>
      request.type === "start_child"
        ? request.child.subscriptions.map((subscription) => ({
            ...subscriptionRow(request.child.id, subscription),
            changedId,
          }))
        : [],
    ),
  );
}

/** What its instance's row must be like: 1 for what counts, 0 for what does not. */
interface HoldRow {
  readonly id: string;
  readonly epoch: number;
  /** Whether it must not have ended. */
  readonly open: number;
  /** Whether nobody may have asked for a cancel. */
  readonly heedless: number;
  readonly [column: string]: string | number;
}

export function holdRow(advance: Advance): HoldRow {
  const { instanceId: id, epoch, patch, posts = NONE, actions = NONE } = advance;
  const open = Number(patch !== undefined || actions.length > 0 || posts.length > 0);
  return { id, epoch, open, heedless: Number(mayBeCalledOff(advance)) };
}

/** Its events, with those that record what it does. */
export function eventsOf(advance: Advance): readonly HistoryEvent[] {
  const answers = answersOf(advance);
  return answers.length === 0
    ? advance.events
    : [...advance.events, ...answers.map(({ seq, answer }) => ({ ...answer, seq }))];
}

/** What became of an advance that was written. */
export function appliedResult(advance: Advance): ChangeResult {
  const answers = answersOf(advance).map(({ answer }) => answer);
  if (answers.length === 0) return { type: "applied" };
  const receivers = (advance.actions ?? []).filter(({ request }) => request.type === "start_child").length;
  return { type: "applied", answers, receivers };
}

interface Foreseen {
  readonly seq: number;
  readonly answer: NewEvent;
}

/** Of what is foreseen: its other actions have their answers from elsewhere. */
function answersOf({ actions = NONE }: Advance): readonly Foreseen[] {
  return actions.length === 0 ? NONE : actions.flatMap(answerTo);
}

function answerTo(action: Action): Foreseen[] {
  const { request, seq } = action;
  if (request.type === "emit") return [{ seq, answer: emitted(action, request.event) }];
  return request.type === "start_child" ? [{ seq, answer: started(action, request) }] : [];
}
