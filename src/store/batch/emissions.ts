/** What plain advances put into the outbox, and what is recorded of it: known before it is written. */
import type { Advance, ChangeResult } from "../../core/commit.ts";
import type { HistoryEvent, NewEvent } from "../../core/history.ts";
import { outgoingOf } from "../../core/outgoing.ts";
import { outboxRow } from "../statements/outbox.ts";
import { emitted } from "./actions.ts";
import { mayBeCalledOff } from "./each.ts";

/** The rows of all of them, in order. */
export function outboxRows(advances: readonly Advance[]): ReturnType<typeof outboxRow>[] {
  return advances.flatMap((advance) => outgoingOf(advance).map((event) => outboxRow(advance.instanceId, event)));
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
  const { instanceId: id, epoch, patch } = advance;
  const open = Number(patch !== undefined || outgoingOf(advance).length > 0);
  return { id, epoch, open, heedless: Number(mayBeCalledOff(advance)) };
}

/** Its events, with those that record what it puts into the outbox. */
export function eventsOf(advance: Advance): readonly HistoryEvent[] {
  const actions = emissionsOf(advance);
  return actions.length === 0
    ? advance.events
    : [...advance.events, ...actions.map(({ seq, answer }) => ({ ...answer, seq }))];
}

/** What became of an advance that was written. */
export function appliedResult(advance: Advance): ChangeResult {
  const answers = emissionsOf(advance).map(({ answer }) => answer);
  return answers.length === 0 ? { type: "applied" } : { type: "applied", answers };
}

function emissionsOf({ actions = [] }: Advance): { readonly seq: number; readonly answer: NewEvent }[] {
  return actions.flatMap((action) => {
    const { seq, request } = action;
    return request.type === "emit" ? [{ seq, answer: emitted(action, request.event) }] : [];
  });
}
