/** Sends events: to the inboxes of those that hear of them, and to new instances of handlers. */
import { createHash } from "node:crypto";
import { encode } from "../core/codec.ts";
import type { Deliver } from "../core/commit.ts";
import { InstanceConflictError, StoreError, undeliverable, ValidationError } from "../core/errors.ts";
import { checkOptions, type KnownKeys } from "../core/known-keys.ts";
import { carriedBy, type TraceContext } from "../core/trace-context.ts";
import { uuidv4 } from "../core/uuid.ts";
import { checkName } from "../workflow/activity.ts";
import type { EventInput, ReceivedEvent } from "../workflow/events.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { eventOf } from "./event-input.ts";
import { write } from "./journal.ts";
import { prepareStart, type StartEnvironment } from "./start.ts";

/** How an event is sent. */
export interface SendEventOptions {
  readonly instanceId?: string;
}

const KNOWN: KnownKeys<SendEventOptions> = { instanceId: true };

/** An event that was found good and is not stored yet. */
export interface PreparedEvent {
  readonly id: string;
  /** Resolves when it is durable: in all inboxes, and instances of handlers started. */
  readonly send: () => Promise<void>;
}

/**
 * Checks the event, and what handlers would make of it, before anything is stored.
 *
 * @param options.instanceId the one instance that it is for, if it is for one; an extension of the event says the same
 */
export async function prepareEvent(
  input: EventInput,
  options: SendEventOptions,
  environment: StartEnvironment,
): Promise<PreparedEvent> {
  checkOptions("sendEvent", options, KNOWN);
  if (typeof input !== "object" || input === null) throw new ValidationError("An event must be an object.");
  const { id = uuidv4(environment.randomBytes(16)) } = input;
  const event = eventOf({ ...input, id });
  // Nothing but its absence means everybody.
  const { instanceId: target = input["romancyinstanceid"] as string | undefined } = options;
  if (target !== undefined) checkName("instance", target);
  const deliver = deliveryOf(event, target, environment);
  const starts = target === undefined ? await prepareHandlers(event, deliver.message.fingerprint, environment) : [];
  return {
    id: event.id,
    async send() {
      const { hooks } = environment;
      const traceContext = hooks && carriedBy((name) => event.extensions[name]);
      const run = async (): Promise<void> => {
        await submit(event, deliver, traceContext, environment);
        await Promise.all(starts.map((start) => startOnce(start)));
      };
      await (hooks ? hooks.within(traceContext, run) : run());
    },
  };
}

async function submit(
  event: ReceivedEvent<unknown>,
  deliver: Deliver,
  traceContext: TraceContext | undefined,
  environment: StartEnvironment,
): Promise<void> {
  const { journal, hooks, onWork } = environment;
  const { id, type: eventType, source: eventSource } = event;
  const result = await write(journal, deliver, `event ${id}`, (done) => {
    if (done.type !== "delivered") return;
    const { receivers } = done;
    const { instanceId } = deliver;
    hooks?.figures?.eventReceived(eventType);
    hooks?.tell("onEventReceived", () => ({
      eventType,
      eventId: id,
      eventSource,
      instanceId,
      traceContext,
      receivers,
    }));
    if (receivers > 0) onWork();
  });
  if (result.type === "undeliverable") throw undeliverable(result.instanceId, result.status);
  if (result.type === "refused") throw new StoreError(`The database refused event ${id}.`, { cause: result.error });
}

function prepareHandlers(
  event: ReceivedEvent<unknown>,
  fingerprint: string,
  environment: StartEnvironment,
): Promise<(() => Promise<unknown>)[]> {
  const handlers = [...environment.workflows.values()].filter((workflow) => handles(workflow, event.type));
  // The name is in the id, so that several workflows can handle one event.
  return Promise.all(
    handlers.map((workflow) => {
      const id = `${workflow.name.slice(0, 150)}:${fingerprint.slice(0, 40)}`;
      return prepareStart(workflow, { id }, [event.data], environment);
    }),
  );
}

/** Of two copies of an event the first counts, though a schema made something else of the second. */
async function startOnce(start: () => Promise<unknown>): Promise<void> {
  try {
    await start();
  } catch (error) {
    if (!(error instanceof InstanceConflictError)) throw error;
  }
}

function handles({ name, options: { eventHandler } }: AnyWorkflow, type: string): boolean {
  if (eventHandler === undefined || eventHandler === false) return false;
  return eventHandler === true ? name === type : [eventHandler].flat().includes(type);
}

function deliveryOf(
  event: ReceivedEvent<unknown>,
  instanceId: string | undefined,
  { clock, maxValueBytes }: StartEnvironment,
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
