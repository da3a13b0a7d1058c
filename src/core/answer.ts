/** What the completion of an operation is for the code that waits for it. */
import { decodeEnding, failureOf } from "./child.ts";
import {
  ActivityError,
  ChannelTimeoutError,
  CompensationError,
  EventTimeoutError,
  ResultTimeoutError,
} from "./errors.ts";
import type { Completion, WaitFor } from "./history.ts";

/** The promise of an operation. */
export interface Settler {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * Gives the code what the completion says.
 *
 * @param read gives the value of encoded text
 */
export function settle(operation: Settler, event: Completion, read: (text: string) => unknown): void {
  const { operationId: id } = event;
  switch (event.kind) {
    case "activity_completed":
    case "action_completed":
      operation.resolve(read(event.result));
      break;
    case "activity_failed":
      operation.reject(new ActivityError(event.activity, id, event.attempts, read(event.error)));
      break;
    case "timer_fired":
    case "compensation_completed":
      operation.resolve(undefined);
      break;
    case "compensation_failed":
      operation.reject(new CompensationError(event.compensation, id, event.attempts, read(event.error)));
      break;
    case "message_received":
      operation.resolve({ ...event.attributes, data: read(event.data) });
      break;
    case "child_ended":
      settleChild(operation, event, read);
      break;
    case "wait_timed_out":
      operation.reject(timeoutOf(event.waitFor));
      break;
    case "action_failed":
    case "wait_refused":
      operation.reject(read(event.error));
      break;
  }
}

function settleChild(
  operation: Settler,
  { childId, workflow, ending }: Extract<Completion, { kind: "child_ended" }>,
  read: (text: string) => unknown,
): void {
  const decoded = decodeEnding(ending);
  if (decoded.status !== "completed") operation.reject(failureOf(workflow, childId, decoded, read));
  // What has completed has returned something, if only nothing.
  else operation.resolve(read(decoded.output as string));
}

function timeoutOf(waitFor: WaitFor): Error {
  switch (waitFor.kind) {
    case "event":
      return new EventTimeoutError(waitFor.types, waitFor.key);
    case "channel":
      return new ChannelTimeoutError(waitFor.channel);
    case "child":
      return new ResultTimeoutError(waitFor.childId);
  }
}
