import type { OutgoingEvent } from "./action.ts";
import type { Change } from "./commit.ts";

/** What the change puts into the outbox, in this order. */
export function outgoingOf(change: Change): OutgoingEvent[] {
  if (change.type !== "advance") return [];
  const { posts = [], actions = [] } = change;
  const requests = [...posts, ...actions.map(({ request }) => request)];
  return requests.flatMap((request) => (request.type === "emit" ? [request.event] : []));
}
