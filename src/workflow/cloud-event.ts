import type { ReceivedEvent } from "./events.ts";

/**
 * The event in the JSON format of CloudEvents 1.0 (`application/cloudevents+json`), bytes in base64: for publishers to
 * brokers of all kinds.
 *
 * @example
 * const publisher = (event) => producer.send({ topic: event.type, messages: [{ key: event.id, value: toCloudEventJson(event) }] });
 */
export function toCloudEventJson({ data, extensions, ...attributes }: ReceivedEvent<unknown>): string {
  const carried = data instanceof Uint8Array ? { data_base64: Buffer.from(data).toString("base64") } : { data };
  return JSON.stringify({ specversion: "1.0", ...extensions, ...attributes, ...carried });
}
