/** What the four tools have in common. */
import type { StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import type { Logger, Romancy } from "../index.ts";
import type { ToolArguments } from "./arguments.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Sdk, ToolContext, ToolResult } from "./sdk.ts";
import type { Offer } from "./workflow-tools.ts";

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: StandardSchemaWithJSON<unknown, ToolArguments>;
  /** Absent where the answer may be a task instead. */
  readonly outputSchema: StandardSchemaWithJSON | undefined;
  /** What clients may do without asking a person. */
  readonly annotations: Readonly<Record<string, boolean>>;
  run(given: ToolArguments, context: ToolContext): Promise<ToolResult>;
}

/** What tools are made with. */
export interface ToolEnvironment {
  readonly sdk: Sdk;
  readonly app: Romancy;
  readonly logger: Logger;
  /** The longest that a call may wait, in milliseconds. */
  readonly maxWait: number;
}

export type ToolMaker = (offer: Offer, environment: ToolEnvironment) => Tool;

/** What tools are given that ask for one instance. */
export interface InstanceArguments {
  readonly instance_id: string;
}

export const INSTANCE_ID: JsonSchema = { type: "string", description: "What the tool that started it has given." };

/** An object of these properties, which the SDK checks. */
export function objectSchema(
  { fromJsonSchema }: Sdk,
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[],
): StandardSchemaWithJSON<unknown, ToolArguments> {
  return fromJsonSchema<ToolArguments>({ type: "object", properties, required: [...required] });
}

/** A schema that is shown, while the values are checked elsewhere. */
export function shownSchema(schema: JsonSchema): StandardSchemaWithJSON<unknown, ToolArguments> {
  const show = (): Record<string, unknown> => ({ ...schema });
  return {
    "~standard": {
      version: 1,
      vendor: "romancy",
      validate: (value) => ({ value: value as ToolArguments }),
      jsonSchema: { input: show, output: show },
    },
  };
}
