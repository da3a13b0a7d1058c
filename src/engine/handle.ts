/** What starters have in their hands of an instance. */
import { failureOf } from "../core/child.ts";
import { decode } from "../core/codec.ts";
import { toMilliseconds } from "../core/duration.ts";
import type { Ending } from "../store/store.ts";
import { checkText } from "../workflow/activity.ts";
import type { InstanceDescription, WorkflowHandle } from "../workflow/handle.ts";
import type { Running } from "./running.ts";

interface HandleHost {
  getInstance(id: string): Promise<InstanceDescription>;
  cancel(id: string, reason?: string): Promise<void>;
}

/**
 * @param running gives the running app, or throws
 * @throws ValidationError when the id is no text
 */
export function handleOf(
  workflow: string,
  id: string,
  app: HandleHost,
  running: () => Pick<Running, "results" | "watch" | "worker">,
): WorkflowHandle<unknown> {
  checkText("instance", id);
  return {
    id,
    describe: () => app.getInstance(id),
    cancel: (reason) => app.cancel(id, reason),
    status: async () => (await app.getInstance(id)).status,
    result: async ({ timeout } = {}) => {
      const limit = timeout === undefined ? undefined : toMilliseconds(timeout, "The timeout of result()");
      const { results, watch, worker } = running();
      const isRunningHere = worker?.isRunning(id) ?? false;
      return resultOf(await watch.during(() => results.wait(id, limit, isRunningHere)), workflow);
    },
  };
}

function resultOf(ending: Ending, workflow: string): unknown {
  if (ending.status !== "completed") throw failureOf(workflow, ending.id, ending, decode);
  return ending.output === null ? undefined : decode(ending.output);
}
