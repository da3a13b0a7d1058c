/** What plain advances put into the outbox, and what is recorded of it: known before it is written. */
import type { Advance, ChangeResult } from "../../core/commit.ts";
import type { HistoryEvent, NewEvent } from "../../core/history.ts";
import { outgoingOf } from "../../core/outgoing.ts";
import { outboxRow } from "../statements/outbox.ts";
import { emitted } from "./actions.ts";

/** The rows of all of them, in order. */
export function outboxRows(advances: readonly Advance[]): ReturnType<typeof outboxRow>[] {
  return advances.flatMap((advance) => outgoingOf(advance).map((event) => outboxRow(advance.instanceId, event)));
}

/** Whether it applies only while its instance has not ended. */
export function needsOpen(advance: Advance): boolean {
  return advance.patch !== undefined || outgoingOf(advance).length > 0;
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
