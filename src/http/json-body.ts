import { Problem } from "./replies.ts";

/** The JSON object that the bytes say, of these fields at most. */
export function jsonObject(bytes: Uint8Array, fields: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, "ParseError", "The body is not JSON.");
  }
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  if (isObject && Object.keys(body as object).every((field) => fields.has(field)))
    return body as Record<string, unknown>;
  throw new Problem(400, "ValidationError", `The body must be an object of nothing but ${[...fields].join(", ")}.`);
}
