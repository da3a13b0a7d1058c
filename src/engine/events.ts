/** Sends events: to the inboxes of those that hear of them, and to new instances of handlers. */
import { createHash } from "node:crypto";
import { encode } from "../core/codec.ts";
import type { ChangeResult, Deliver } from "../core/commit.ts";
import { InstanceFinishedError, InstanceNotFoundError, StoreError, ValidationError } from "../core/errors.ts";
import { uuidv4 } from "../core/uuid.ts";
import { checkName } from "../workflow/activity.ts";
import type { EventInput, ReceivedEvent } from "../workflow/events.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import type { Clock } from "./clock.ts";
import type { Journal } from "./journal.ts";

export interface EventEnvironment {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly maxValueBytes: number;
  readonly workflows: ReadonlyMap<string, AnyWorkflow>;
  /** Starts an instance of a handler. */
  readonly start: (workflow: AnyWorkflow, id: string, data: unknown) => Promise<unknown>;
  /** It is in the inboxes of these. */
  readonly onDelivered: (instanceIds: readonly string[]) => void;
}

/** Resolves when the event is durable: in all inboxes, and instances of handlers started. */
export async function sendEvent(
  input: EventInput,
  instanceId: string | undefined,
  environment: EventEnvironment,
): Promise<{ readonly id: string }> {
  const event = eventOf(input, environment);
  const deliver = deliveryOf(event, instanceId, environment);
  const result = (await environment.journal.submit(() => deliver)) as ChangeResult;
  if (result.type === "undeliverable") throw undeliverable(instanceId ?? "", result.status);
  if (result.type === "refused")
    throw new StoreError(`The database refused event ${event.id}.`, { cause: result.error });
  if (result.type === "delivered") environment.onDelivered(result.to);
  if (instanceId === undefined) await startHandlers(event, deliver.message.fingerprint, environment);
  return { id: event.id };
}

function undeliverable(instanceId: string, status: string | undefined): Error {
  return status === undefined ? new InstanceNotFoundError(instanceId) : new InstanceFinishedError(instanceId, status);
}

async function startHandlers(
  event: ReceivedEvent<unknown>,
  fingerprint: string,
  { workflows, start }: EventEnvironment,
): Promise<void> {
  const handlers = [...workflows.values()].filter((workflow) => handles(workflow, event.type));
  // The name is in the id, so that several workflows can handle one event.
  await Promise.all(
    handlers.map((workflow) =>
      start(workflow, `${workflow.name.slice(0, 150)}:${fingerprint.slice(0, 40)}`, event.data),
    ),
  );
}

function handles({ name, options: { eventHandler } }: AnyWorkflow, type: string): boolean {
  if (eventHandler === undefined || eventHandler === false) return false;
  return eventHandler === true ? name === type : [eventHandler].flat().includes(type);
}

function deliveryOf(
  event: ReceivedEvent<unknown>,
  instanceId: string | undefined,
  { clock, maxValueBytes }: EventEnvironment,
): Deliver {
  const { data, ...attributes } = event;
  return {
    type: "deliver",
    instanceId,
    message: {
      type: event.type,
      key: event.subject ?? null,
      fingerprint: createHash("sha256")
        .update(JSON.stringify([event.source, event.id]))
        .digest("hex"),
      attributes,
      data: encode(data, `The data of event ${event.type}`, maxValueBytes),
      at: clock.now(),
    },
  };
}

const ATTRIBUTES: ReadonlySet<string> = new Set([
  "type",
  "source",
  "id",
  "subject",
  "time",
  "data",
  "datacontenttype",
  "dataschema",
  "specversion",
]);

/** @throws ValidationError when it is no CloudEvent */
function eventOf(input: EventInput, { randomBytes }: Pick<EventEnvironment, "randomBytes">): ReceivedEvent<unknown> {
  if (typeof input !== "object" || input === null) throw new ValidationError("An event must be an object.");
  const { type, source, id = uuidv4(randomBytes(16)), subject, time, data, datacontenttype, dataschema } = input;
  checkName("event", type);
  for (const [name, value] of Object.entries({ source, id })) {
    if (typeof value !== "string" || value === "") throw new ValidationError(`The ${name} of an event must be a text.`);
  }
  if (subject !== undefined) checkName("subject", subject);
  return {
    type,
    source,
    id,
    ...(subject !== undefined && { subject }),
    ...(time !== undefined && { time: timeOf(time) }),
    ...(datacontenttype !== undefined && { datacontenttype }),
    ...(dataschema !== undefined && { dataschema }),
    extensions: extensionsOf(input),
    data,
  };
}

function timeOf(time: Date | string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime()))
    throw new ValidationError("The time of an event must be a Date or a text of RFC 3339.");
  return typeof time === "string" ? time : date.toISOString();
}

function extensionsOf(input: EventInput): Record<string, string | number | boolean> {
  const extensions: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(input)) {
    if (ATTRIBUTES.has(name) || value === undefined || value === null) continue;
    if (!/^[a-z0-9]{1,50}$/.test(name)) {
      throw new ValidationError(`The extension ${name} of an event must be named by lower-case letters and digits.`);
    }
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") {
      throw new ValidationError(`The extension ${name} of an event must be a text, a number or a boolean.`);
    }
    extensions[name] = value;
  }
  return extensions;
}
