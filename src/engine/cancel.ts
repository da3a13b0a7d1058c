/** Requests from outside to end an instance, or to take its undoing up again. */

import type { Change, ChangeResult } from "../core/commit.ts";
import {
  InstanceNotFoundError,
  NothingToCompensateError,
  notCancellable,
  StoreError,
  ValidationError,
} from "../core/errors.ts";
import { isStorableText } from "../core/text.ts";
import { checkName } from "../workflow/activity.ts";
import type { Clock } from "./clock.ts";
import { type Journal, write } from "./journal.ts";
import type { HookRunner } from "./watching/hooks.ts";

export interface RequestEnvironment {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly hooks: HookRunner | undefined;
  /** An instance is due, or called. */
  readonly onWork: () => void;
}

/** Characters of a reason. */
const REASON_LENGTH = 10_000;

/** Resolves when the request is durable. */
export async function cancel(id: string, reason: string | undefined, environment: RequestEnvironment): Promise<void> {
  checkName("instance", id);
  checkReason(reason);
  const at = environment.clock.now();
  const change = { type: "cancel", instanceId: id, reason: reason ?? null, at } as const;
  const result = await request(change, `the cancel of instance ${id}`, environment);
  if (result.type === "undeliverable") throw notCancellable(id, result.status);
}

/** Resolves when it is durable that they will be run. */
export async function retryCompensations(id: string, environment: RequestEnvironment): Promise<void> {
  checkName("instance", id);
  const change = { type: "retry_compensations", instanceId: id, at: environment.clock.now() } as const;
  const result = await request(change, `the retry of instance ${id}`, environment);
  if (result.type !== "undeliverable") return;
  if (result.status === undefined) throw new InstanceNotFoundError(id);
  throw new NothingToCompensateError(id, result.status);
}

/**
 * Resolves when the change is durable, or was found impossible.
 *
 * @param onDelivered told, once it is durable, how many instances go on because of it, if any do
 */
export async function request(
  change: Change,
  what: string,
  { journal, onWork }: RequestEnvironment,
  onDelivered: (receivers: number) => void = () => {},
): Promise<ChangeResult> {
  const result = await write(journal, change, what, (done) => {
    if (done.type !== "delivered" || done.receivers === 0) return;
    onWork();
    onDelivered(done.receivers);
  });
  if (result.type === "refused") throw new StoreError(`The database refused ${what}.`, { cause: result.error });
  return result;
}

/** @throws ValidationError */
export function checkReason(reason: unknown): void {
  if (reason === undefined) return;
  if (isStorableText(reason) && reason.length <= REASON_LENGTH) return;
  throw new ValidationError(
    `The reason of a cancel must be a text of at most ${REASON_LENGTH} whole characters, none of them NUL.`,
  );
}
