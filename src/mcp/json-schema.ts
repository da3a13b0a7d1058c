/** Schemas of any library as JSON Schema, by the library's own means. */
import type { StandardJSONSchemaV1 } from "@standard-schema/spec";
import { type Schema, ValidationError } from "../index.ts";

/** A JSON Schema of the draft 2020-12, which is MCP's. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What the schema takes.
 *
 * @throws ValidationError when its library cannot tell
 */
export function toJsonSchema(schema: Schema<unknown>, what: string): JsonSchema {
  const { vendor, jsonSchema } = schema["~standard"] as Partial<StandardJSONSchemaV1.Props> & { vendor: string };
  if (!jsonSchema) {
    throw new ValidationError(
      `${what} cannot be shown as JSON Schema: ${vendor} gives it no \`~standard.jsonSchema\`. Take zod 4.2 or newer, ` +
        "or ArkType; wrap valibot's schemas with `toStandardJsonSchema` of `@valibot/to-json-schema`; or give the tool an `inputSchema`.",
    );
  }
  try {
    return jsonSchema.input({ target: "draft-2020-12" });
  } catch (cause) {
    throw new ValidationError(
      `${what} cannot be shown as JSON Schema: ${cause instanceof Error ? cause.message : String(cause)}. Take types that ` +
        "JSON has, such as a text for a date, or give the tool an `inputSchema`.",
    );
  }
}

/** To stand within another schema: its references, which begin at its root, must not begin at that one's. */
export function embed(schema: JsonSchema, name: string): JsonSchema {
  const { $schema: _, ...rest } = schema;
  return JSON.stringify(rest).includes('"$ref"') ? { $id: `urn:romancy:${encodeURIComponent(name)}`, ...rest } : rest;
}
