/**
 * How the arguments of a tool, which are one object, become those of a workflow, which are a list:
 *
 * - a workflow whose one schema describes an object takes the tool's arguments as that object;
 * - with `parameters` each of the workflow's arguments has a name, and is the tool's argument of that name;
 * - else the tool has one argument, `arguments`, which is the list.
 *
 * What the values must be is checked where the instance is started, by the workflow's own schemas.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type AnyWorkflow, type Schema, ValidationError } from "../index.ts";
import { embed, type JsonSchema, toJsonSchema } from "./json-schema.ts";

export type ToolArguments = Readonly<Record<string, unknown>>;

/** What the tool that starts a workflow takes. */
export interface ToolInput {
  readonly schema: JsonSchema;
  /**
   * The arguments of the workflow.
   *
   * @throws ValidationError
   */
  read(given: ToolArguments): readonly unknown[];
}

/**
 * The arguments as the workflow will get them.
 *
 * @throws ValidationError
 */
export async function validArguments({ name, options }: AnyWorkflow, args: readonly unknown[]): Promise<unknown[]> {
  const valid = [...args];
  for (const [index, schema] of schemasOf(options.input).entries()) {
    const result = await schema["~standard"].validate(args[index]);
    if (result.issues) {
      const problems = result.issues.map((issue) => `${pathOf(issue)}${issue.message}`).join("; ");
      throw new ValidationError(`Argument ${index + 1} of ${name} is not valid: ${problems}`, result.issues);
    }
    valid[index] = result.value;
  }
  return valid;
}

function pathOf({ path = [] }: StandardSchemaV1.Issue): string {
  const keys = path.map((segment) => String(typeof segment === "object" ? segment.key : segment));
  return keys.length === 0 ? "" : `${keys.join(".")}: `;
}

/** What users may say of the input. */
export interface InputOptions {
  readonly parameters?: readonly string[];
  readonly inputSchema?: JsonSchema;
}

/** @throws ValidationError when a schema cannot be shown as JSON Schema */
export function toolInput({ name, options }: AnyWorkflow, { parameters, inputSchema }: InputOptions): ToolInput {
  const schemas = schemasOf(options.input);
  if (inputSchema && inputSchema["type"] !== "object") {
    throw new ValidationError(
      `The \`inputSchema\` of ${name} is no object's. Tools take objects: say \`type: "object"\`.`,
    );
  }
  if (parameters && parameters.length < schemas.length) {
    throw new ValidationError(
      `The \`parameters\` of workflow ${name} are fewer than its schemas: ${parameters.length} of ${schemas.length}. Name ` +
        "each argument.",
    );
  }
  const shown = inputSchema ? [] : schemas.map((one, index) => toJsonSchema(one, `Argument ${index + 1} of ${name}`));
  if (parameters) return inputByName(parameters, schemas, shown, inputSchema);
  const whole = inputSchema ?? (shown.length === 1 ? shown.find(({ type }) => type === "object") : undefined);
  return whole ? { schema: whole, read: (given) => [given] } : inputAsList(shown);
}

function schemasOf(input: AnyWorkflow["options"]["input"]): readonly Schema<unknown>[] {
  if (input === undefined) return [];
  return Array.isArray(input) ? input : [input as Schema<unknown>];
}

function inputByName(
  names: readonly string[],
  schemas: readonly Schema<unknown>[],
  shown: readonly JsonSchema[],
  inputSchema: JsonSchema | undefined,
): ToolInput {
  const entries = names.map((name, index) => [name, embed(shown[index] ?? {}, name)] as const);
  const required = names.filter((_, index) => schemas[index] !== undefined && !takesNothing(schemas[index]));
  const schema = { type: "object", properties: Object.fromEntries(entries), required, additionalProperties: false };
  return {
    schema: inputSchema ?? schema,
    read(given) {
      refuseOthers(given, names);
      const args = names.map((name) => given[name]);
      // What is left out at the end was not given, rather than given as `undefined`.
      return args.slice(0, args.findLastIndex((value) => value !== undefined) + 1);
    },
  };
}

/** Whether the argument may be left out. A schema that must be waited for cannot tell beforehand. */
function takesNothing(schema: Schema<unknown>): boolean {
  const result = schema["~standard"].validate(undefined);
  return !(result instanceof Promise) && result.issues === undefined;
}

const LIST = "arguments";

function inputAsList(shown: readonly JsonSchema[]): ToolInput {
  const items = shown.map((schema, index) => embed(schema, `${LIST}-${index + 1}`));
  const list = {
    type: "array",
    description: "The workflow's arguments, in order.",
    ...(items.length > 0 && { prefixItems: items }),
  };
  return {
    schema: { type: "object", properties: { [LIST]: list }, additionalProperties: false },
    read(given) {
      refuseOthers(given, [LIST]);
      const { [LIST]: args = [] } = given;
      if (Array.isArray(args)) return args;
      throw new ValidationError(`\`${LIST}\` is no list. Give the workflow's arguments in order.`);
    },
  };
}

function refuseOthers(given: ToolArguments, names: readonly string[]): void {
  const others = Object.keys(given).filter((name) => !names.includes(name));
  if (others.length === 0) return;
  throw new ValidationError(`There is no argument ${others.join(", ")}. The tool takes ${names.join(", ")}.`);
}
