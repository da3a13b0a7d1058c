/** How it is told that code does not follow its history. */
import { NonDeterminismError } from "./errors.ts";
import type { HistoryEvent } from "./history.ts";

/**
 * @param position of the event, counted from 1
 * @param asked what the code does instead, such as `asked for charge:1`
 */
export function divergence(position: number, event: HistoryEvent, asked: string): NonDeterminismError {
  const recorded = `${event.kind} of ${event.operationId}`;
  if (event.kind !== "patch_recorded") return new NonDeterminismError(position, recorded, asked);
  const id = JSON.stringify(event.patch);
  return new NonDeterminismError(
    position,
    recorded,
    asked,
    `Put \`ctx.deprecatePatch(${id})\` where \`ctx.patched(${id})\` stood, and take it out when no instance is left ` +
      "that has recorded the patch.",
  );
}
