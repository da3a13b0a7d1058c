/** What keeps an instance from going on, for people. */
import type { InstanceDescription, Romancy } from "../index.ts";

type Wait = InstanceDescription["waitingFor"][number];

/** A sentence about the instance, and about the children that it waits for. */
export async function standingOf(app: Romancy, id: string): Promise<string> {
  const instance = await app.getInstance(id);
  const children = instance.waitingFor.flatMap((wait) => (wait.kind === "child" ? [wait.childId] : []));
  const sentences = [sentenceOf(instance)];
  for (const child of children) sentences.push(await standingOf(app, child));
  return sentences.join(" ");
}

function sentenceOf({ id, workflow, status, waitingFor, error }: InstanceDescription): string {
  const what = `Instance ${id} of ${workflow}`;
  switch (status) {
    case "blocked":
      return `${what} is blocked: ${error instanceof Error ? error.message : String(error)}`;
    case "pending":
      return `${what} is pending: is ${workflow} among the workflows of the test app?`;
    case "waiting":
    case "compensating":
      return `${what} waits for ${waitingFor.map(waitOf).join(", and for ")}.`;
    case "running":
      return `${what} is running: it awaits something that is not durable, or messages that its activities send.`;
    default:
      return `${what} is ${status}.`;
  }
}

function waitOf(wait: Wait): string {
  const until = wait.until === undefined ? "without a time limit" : `until ${wait.until.toISOString()}`;
  switch (wait.kind) {
    case "event": {
      const key = wait.key === undefined ? "" : ` with the key ${wait.key}`;
      return `the event ${wait.types.join(" or ")}${key}, ${until} (${wait.operationId})`;
    }
    case "channel":
      return `a message of channel ${wait.channel}, ${until} (${wait.operationId})`;
    case "child":
      return `its child ${wait.childId}, ${until} (${wait.operationId})`;
    case "timer":
    case "retry":
      return `time, ${until} (${wait.operationId})`;
  }
}
