import type { Create } from "../../src/core/commit.ts";

/** Whose new instances are. */
export const OWNER = "worker-1";

/** An instance of `flow` in its first epoch. */
export function newInstance(id: string): Create {
  return {
    type: "create",
    instance: {
      id,
      workflow: "flow",
      status: "running",
      input: "[]",
      tags: null,
      priority: 0,
      version: null,
      traceContext: null,
      workerId: OWNER,
      createdAt: 1,
    },
  };
}
