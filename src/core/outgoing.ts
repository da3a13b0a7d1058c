import type { OutgoingEvent } from "./action.ts";
import type { Change } from "./commit.ts";

const NOTHING: readonly OutgoingEvent[] = [];

/** What the change puts into the outbox, in this order. */
export function outgoingOf(change: Change): readonly OutgoingEvent[] {
  if (change.type !== "advance") return NOTHING;
  const { posts = [], actions = [] } = change;
  if (posts.length === 0 && actions.length === 0) return NOTHING;
  const requests = [...posts, ...actions.map(({ request }) => request)];
  return requests.flatMap((request) => (request.type === "emit" ? [request.event] : []));
}
