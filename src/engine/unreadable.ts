/** Instances whose rows or histories cannot be read: they are blocked, or cancelled if that was asked for. */
import { encodeThrown } from "../core/codec.ts";
import type { Advance, InstancePatch } from "../core/commit.ts";
import { messageOf } from "../core/errors.ts";
import { contextOf } from "../core/trace-context.ts";
import type { Claim } from "../store/store.ts";
import type { Logger } from "../workflow/logger.ts";
import type { Clock } from "./clock.ts";
import type { Journal } from "./journal.ts";
import type { HookRunner } from "./watching/hooks.ts";
import { tellEnd } from "./watching/instance-facts.ts";

interface UnreadableHost {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly hooks: HookRunner | undefined;
}

/** @param error what keeps it from being read */
export async function giveUpUnreadable(
  claim: Claim,
  error: unknown,
  log: Logger,
  { clock, journal, hooks }: UnreadableHost,
): Promise<void> {
  const { id: instanceId, epoch, cancel, createdAt } = claim;
  log.error("An instance cannot be read.", { instanceId, error: messageOf(error) });
  const facts = { at: clock.now(), error: encodeThrown(error) };
  const patch: InstancePatch = cancel
    ? { event: "cancel", ...facts, compensationErrors: null }
    : { event: "block", ...facts };
  const change: Advance = {
    type: "advance",
    instanceId,
    epoch,
    events: [],
    patch,
    knowsOfCancel: cancel !== undefined,
  };
  const result = await journal.submit(() => change, instanceId);
  if (result?.type !== "applied" || !hooks) return;
  const instance = { instanceId, workflowName: claim.workflow, traceContext: contextOf(claim.traceContext) };
  tellEnd(hooks, instance, patch, { createdAt, reason: cancel?.reason ?? undefined, hide: (thrown) => thrown });
}
