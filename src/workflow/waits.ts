import type { ChannelMode, WaitFor } from "../core/history.ts";

/** What a wait is for. */
export type WaitTarget =
  | { readonly kind: "event"; readonly types: readonly string[]; readonly key: string | undefined }
  | { readonly kind: "channel"; readonly channel: string; readonly mode: ChannelMode }
  | { readonly kind: "child"; readonly childId: string; readonly workflow: string };

/** In users' terms. */
export function waitTargetOf(waitFor: WaitFor): WaitTarget {
  if (waitFor.kind === "event") return { ...waitFor, key: waitFor.key ?? undefined };
  if (waitFor.kind === "channel") return waitFor;
  const { kind, childId, workflow } = waitFor;
  return { kind, childId, workflow };
}
