/** An event as users give it, checked. */
import { ValidationError } from "../core/errors.ts";
import { checkName } from "../workflow/activity.ts";
import type { EventInput, ReceivedEvent } from "../workflow/events.ts";

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
export function eventOf(input: EventInput & { readonly id: string }): ReceivedEvent<unknown> {
  const { type, source, id, subject, time, data, datacontenttype, dataschema } = input;
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
