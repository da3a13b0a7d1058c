/** An operator has an instance go on that has failed, or is blocked. */
import type { ChangeResult } from "../../core/commit.ts";
import { InstanceNotFoundError, InstanceNotRetryableError } from "../../core/errors.ts";
import type { RetryObstacle } from "../../core/retrying.ts";
import { type InstanceStatus, isFinished } from "../../core/status.ts";
import { checkName } from "../../workflow/activity.ts";
import { type RequestEnvironment, request } from "../cancel.ts";

/** Resolves when it is durable that it goes on. */
export async function retry(id: string, environment: RequestEnvironment): Promise<void> {
  checkName("instance", id);
  const change = { type: "retry", instanceId: id, at: environment.clock.now() } as const;
  const result = await request(change, `the retry of instance ${id}`, environment, (instances) =>
    environment.hooks?.tell("onRetry", () => ({ instanceId: id, instances })),
  );
  if (result.type === "undeliverable") throw new InstanceNotFoundError(id);
  if (result.type === "not_retryable") throw notRetryable(result);
}

function notRetryable({ instanceId, status, obstacle }: Extract<ChangeResult, { type: "not_retryable" }>): Error {
  return new InstanceNotRetryableError(instanceId, status, reasonOf(status, obstacle));
}

/** What is in the way, and what to do instead. */
function reasonOf(status: InstanceStatus, obstacle: RetryObstacle): string {
  switch (obstacle.type) {
    case "undone":
      return (
        "what it had done was undone. Start the workflow again, under another id; compensations that failed are run " +
        "once more by `app.retryCompensations`."
      );
    case "parent":
      return (
        `its parent ${obstacle.parentId} was told of its failure. Retry the parent, if it has failed of it; it takes ` +
        "its child along."
      );
    case "child":
      return `its child ${obstacle.childId} is ${obstacle.status}: ${reasonOf(obstacle.status, obstacle.obstacle)}`;
    case "status":
      return isFinished(status)
        ? "only what has failed is retried. Start the workflow again, under another id."
        : "it goes on by itself. Wait for it, or cancel it.";
  }
}
