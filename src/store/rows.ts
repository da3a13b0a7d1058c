import type { HistoryEvent } from "../core/history.ts";
import type { HistoryRow } from "./statements/history.ts";

/** What a history row's `data` holds: encoded text for values, a small JSON object for the rest. */
export function dataOf(event: HistoryEvent): string | null {
  switch (event.kind) {
    case "activity_completed":
      return event.result;
    case "value_recorded":
      return event.value;
    case "timer_started":
      return JSON.stringify({ fireAt: event.fireAt });
    case "timer_fired":
      return null;
    case "activity_failed":
      return JSON.stringify({ activity: event.activity, attempts: event.attempts, error: JSON.parse(event.error) });
    case "attempt_failed":
      return JSON.stringify({
        attempt: event.attempt,
        startedAt: event.startedAt,
        retryAt: event.retryAt,
        error: JSON.parse(event.error),
      });
  }
}

/** The event of a row. Rows are only written by `dataOf`, so their form is relied upon. */
export function eventOf(row: HistoryRow): HistoryEvent {
  const base = { seq: row.seq, at: row.at, operationId: row.operation_id };
  const kind = row.kind as HistoryEvent["kind"];
  switch (kind) {
    case "activity_completed":
      return { ...base, kind, result: textOf(row) };
    case "value_recorded":
      return { ...base, kind, value: textOf(row) };
    case "timer_fired":
      return { ...base, kind };
    case "timer_started":
      return { ...base, kind, ...(JSON.parse(textOf(row)) as { fireAt: number }) };
    case "activity_failed": {
      const data = JSON.parse(textOf(row)) as { activity: string; attempts: number; error: unknown };
      return { ...base, kind, ...data, error: JSON.stringify(data.error) };
    }
    case "attempt_failed": {
      const data = JSON.parse(textOf(row)) as { attempt: number; startedAt: number; retryAt: number; error: unknown };
      return { ...base, kind, ...data, error: JSON.stringify(data.error) };
    }
    default:
      throw new Error(`History of ${row.instance_id} holds an event of an unknown kind: ${String(kind)}.`);
  }
}

function textOf(row: HistoryRow): string {
  if (row.data === null) throw new Error(`History of ${row.instance_id} lacks the data of event ${row.seq}.`);
  return row.data;
}
