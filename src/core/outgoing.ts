import type { OutgoingEvent } from "./action.ts";
import type { Advance, Change } from "./commit.ts";

const NONE: readonly never[] = [];

/** What the change puts into the outbox, in this order. */
export function outgoingOf(change: Change): readonly OutgoingEvent[] {
  if (change.type !== "advance") return NONE;
  const { posts = NONE, actions = NONE } = change;
  // As most have it, and a thousand are asked at once.
  if (posts.length === 0 && actions.length === 0) return NONE;
  const requests = [...posts, ...actions.map(({ request }) => request)];
  return requests.flatMap((request) => (request.type === "emit" ? [request.event] : []));
}

/** The channels that an advance publishes to, one for each message. */
export function channelsOf({ posts = NONE, actions = NONE }: Advance): readonly string[] {
  const requests = [...posts, ...actions.map(({ request }) => request)];
  return requests.flatMap((request) => (request.type === "publish" ? [request.message.channel] : []));
}
