/** What does not get on. */
import type { Backlog, Operations, OutboxBacklog } from "../../store/store.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { listWorkers, type WorkerInfo } from "./workers.ts";

/** Milliseconds after which something that is due should have been taken up. */
const PATIENCE = 10_000;

/** The same of events for a broker. */
const OUTBOX_PATIENCE = 60_000;

/** @param now by the database's clock */
export async function checkWork(operations: Operations, now: number): Promise<Finding[]> {
  const workers = await listWorkers(operations);
  const isServed = workers.some(({ isAlive }) => isAlive);
  return [
    workersFinding(workers),
    ...(await operations.overdue(now - PATIENCE)).map((backlog) => overdueFinding(backlog, isServed, now)),
    ...(await operations.blocked()).map(blockedFinding),
    ...(await operations.outboxBacklog(now - OUTBOX_PATIENCE)).map((backlog) => outboxFinding(backlog, now)),
  ];
}

function workersFinding(workers: readonly WorkerInfo[]): Finding {
  const check = "workers";
  const dead = workers.filter(({ isAlive }) => !isAlive);
  const alive = workers.length - dead.length;
  if (dead.length > 0) {
    const names = dead.map(({ id, host, pid, instances }) => `${id} (${host}, pid ${pid}, ${count(instances)})`);
    const message = `${alive} of ${workers.length} workers are alive. Dead: ${names.join("; ")}.`;
    return alive > 0
      ? warning(check, message, "A living worker takes over within seconds. If this stays so, see its log.")
      : problem(check, message, "Nobody is there to take over. Start a worker.");
  }
  if (alive === 0) return warning(check, "No worker runs.", "Start a process with an app that has workflows.");
  return ok(check, `${alive} ${alive === 1 ? "worker is" : "workers are"} alive.`);
}

function overdueFinding({ workflow, instances, since }: Backlog, isServed: boolean, now: number): Finding {
  const message = `${count(instances)} of workflow ${workflow} should have been taken up, the first ${ago(since, now)}.`;
  return isServed
    ? problem(
        "due",
        message,
        `Either no worker that runs knows ${workflow}: register it with one. Or all workers are full: start more, or ` +
          "raise `maxConcurrentInstances`.",
      )
    : problem("due", message, `Start a worker that knows ${workflow}.`);
}

function blockedFinding({ workflow, instances }: Backlog): Finding {
  const advice =
    `\`romancy list --status blocked --workflow ${workflow}\` names them, and \`romancy get\` tells why. Put the code ` +
    "right, deploy it, and they go on; or `romancy retry` tries one at once.";
  return warning(
    "blocked",
    `${count(instances)} of workflow ${workflow} ${instances === 1 ? "is" : "are"} blocked.`,
    advice,
  );
}

function outboxFinding({ status, events, since }: OutboxBacklog, now: number): Finding {
  const some = `${events} ${events === 1 ? "event" : "events"}`;
  if (status === "pending") {
    const advice = "See that a worker has a broker (`brokerUrl` or `publisher`), and that the broker takes events.";
    return warning("outbox", `${some} should have been sent, the first ${ago(since, now)}.`, advice);
  }
  const advice = `\`romancy outbox list --status ${status}\` tells why; \`romancy outbox retry --status ${status}\` sends them again.`;
  return warning("outbox", `${some} ${events === 1 ? "is" : "are"} ${status}, and not sent any more.`, advice);
}

function count(instances: number): string {
  return `${instances} ${instances === 1 ? "instance" : "instances"}`;
}

function ago(since: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - since) / 1_000));
  return seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
}
