/** What is asked of an instance from outside, other than to take a message. */
import type { Cancel, RetryCompensations } from "../../core/commit.ts";
import { type InstanceStatus, isFinished, transition } from "../../core/status.ts";
import type { Queries } from "../runner.ts";
import { lastOfChain } from "../statements/chains.ts";
import { appendRetry } from "../statements/history.ts";
import { instanceById, reopenInstance, requestCancel } from "../statements/instances.ts";
import type { Delivered } from "./mail.ts";

/** Of the instance, or of the one that it went on as; that one may go on too before its row is locked. */
export async function cancel(queries: Queries, { instanceId, reason, at }: Cancel): Promise<Delivered> {
  for (let id = instanceId; ; ) {
    if ((await queries.run(requestCancel, { id, reason, at })) > 0) return { type: "delivered", receivers: 1 };
    const [row] = await queries.all(instanceById, { id });
    const status = row?.status as InstanceStatus | undefined;
    const isUnderWay =
      row !== undefined && row.cancel_requested_at !== null && !isFinished(row.status as InstanceStatus);
    if (status === "cancelled" || isUnderWay) return { type: "delivered", receivers: 0 };
    if (status !== "recurred") return { type: "undeliverable", instanceId, status };
    const [last] = await queries.all(lastOfChain, { id });
    id = last?.instance_id ?? id;
  }
}

/** A second one that comes before the first one was taken up finds nothing to do: the same as if it came after. */
export async function retryCompensations(queries: Queries, { instanceId, at }: RetryCompensations): Promise<Delivered> {
  const status = transition("failed", "compensate") as string;
  if ((await queries.run(reopenInstance, { id: instanceId, status, at })) === 0) {
    const [row] = await queries.all(instanceById, { id: instanceId });
    return { type: "undeliverable", instanceId, status: row?.status as InstanceStatus | undefined };
  }
  await queries.run(appendRetry, { instanceId, at });
  return { type: "delivered", receivers: 1 };
}
