import type { ActionRequest, OutgoingEvent, Post } from "./action.ts";
import type { Advance, Change } from "./commit.ts";

const NONE: readonly never[] = [];

/** All that an advance sends and asks for, in this order. */
export function requestsOf({ posts = NONE, actions = NONE }: Advance): readonly (Post | ActionRequest)[] {
  // As most have it, and a thousand are asked at once.
  return posts.length + actions.length === 0 ? NONE : [...posts, ...actions.map(({ request }) => request)];
}

/** What the change puts into the outbox, in this order. */
export function outgoingOf(change: Change): readonly OutgoingEvent[] {
  if (change.type !== "advance") return NONE;
  return requestsOf(change).flatMap((request) => (request.type === "emit" ? [request.event] : []));
}

/** The channels that it publishes to, one for each message. */
export function publishedTo(advance: Advance): readonly string[] {
  return requestsOf(advance).flatMap((request) => (request.type === "publish" ? [request.message.channel] : []));
}
