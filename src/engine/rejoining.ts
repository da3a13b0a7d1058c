/** What an instance heard of and was a member of ended when it failed. When it is retried, it is asked for once more. */
import type { Membership } from "../core/action.ts";
import type { HistoryEvent } from "../core/history.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { Draft } from "./draft.ts";
import { subscriptionsOf } from "./new-instance.ts";

/**
 * Has the first commit of a run that was retried take up what the history tells of. Events are known from the history
 * itself; channels and groups are told to what this returns, while the code is replayed.
 */
export function rejoining(
  draft: Draft,
  workflow: AnyWorkflow,
  args: readonly unknown[],
  history: readonly HistoryEvent[],
): ((membership: Membership) => void) | undefined {
  // Until its first commit nothing is recorded behind the retry, or nothing that would change by being done again.
  if (history.at(-1)?.kind !== "retried") return undefined;
  for (const { type, key } of subscriptionsOf(workflow, args)) draft.rejoin({ type: "hear", event: type, key });
  for (const event of history) {
    if (event.kind !== "wait_started" || event.waitFor.kind !== "event") continue;
    const { types, key } = event.waitFor;
    for (const type of types) draft.rejoin({ type: "hear", event: type, key });
  }
  return (membership) => {
    switch (membership.type) {
      case "subscribe":
      case "join":
        draft.rejoin(membership);
        break;
      case "unsubscribe":
        draft.unjoin((other) => other.type === "subscribe" && other.channel === membership.channel);
        break;
      case "leave":
        draft.unjoin((other) => other.type === "join" && other.group === membership.group);
        break;
    }
  };
}
