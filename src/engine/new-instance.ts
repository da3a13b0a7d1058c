/** What an instance is created from: checked, and encoded. */
import { encode } from "../core/codec.ts";
import type { Create, Subscription } from "../core/commit.ts";
import { ValidationError } from "../core/errors.ts";
import { uuidv7 } from "../core/uuid.ts";
import { checkName } from "../workflow/activity.ts";
import { validateArguments } from "../workflow/schema.ts";
import type { StartOptions } from "../workflow/starting.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { Clock } from "./clock.ts";
import { checkTags, encodeTags } from "./tags.ts";

interface Environment {
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly maxValueBytes: number;
}

/** @throws ValidationError, SerializationError */
export async function newInstance(
  workflow: AnyWorkflow,
  options: StartOptions,
  args: readonly unknown[],
  { clock, randomBytes, maxValueBytes }: Environment,
): Promise<Create> {
  const now = clock.now();
  const { id = uuidv7(now, randomBytes(10)), tags, priority = 0 } = options;
  checkName("instance", id);
  checkTags(tags);
  if (!Number.isInteger(priority) || priority < 0 || priority > 1_000_000) {
    throw new ValidationError(`The priority ${String(priority)} must be a whole number from 0 to 1,000,000.`);
  }
  const { input } = workflow.options;
  const valid = input ? await validateArguments(input, args, `workflow ${workflow.name}`) : args;
  return {
    type: "create",
    subscriptions: subscriptionsOf(workflow, valid),
    instance: {
      id,
      workflow: workflow.name,
      status: "pending",
      input: encode(valid, `The input of workflow ${workflow.name}`, maxValueBytes),
      tags: encodeTags(tags),
      priority,
      version: workflow.options.version ?? null,
      traceContext: null,
      workerId: null,
      createdAt: now,
    },
  };
}

/** What an instance hears of from its birth. */
export function subscriptionsOf({ options: { events = [] } }: AnyWorkflow, args: readonly unknown[]): Subscription[] {
  return events.map((event) => {
    if (typeof event === "string") return { type: event, key: null };
    const key: unknown = event.key(...args);
    checkName("key", key as string);
    return { type: event.type, key: key as string };
  });
}
