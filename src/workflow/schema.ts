import type { StandardSchemaV1 } from "@standard-schema/spec";
import { ValidationError } from "../core/errors.ts";

/** Any Standard Schema (zod, valibot, arktype, ...) whose result is a `T`. */
export type Schema<T> = StandardSchemaV1<unknown, T>;

/** One schema for the first argument, or a list with one schema for each argument. */
export type InputSchema<Args extends readonly unknown[]> =
  | Schema<Args[0]>
  | { readonly [Index in keyof Args]: Schema<Args[Index]> };

/** The value as the schema gives it back, or as it is when there is no schema. */
export async function validate<T>(schema: Schema<T> | undefined, value: T, what: string): Promise<T> {
  if (schema === undefined) return value;
  const result = await schema["~standard"].validate(value);
  if (!result.issues) return result.value;
  const problems = result.issues.map((issue) => `${pathOf(issue)}${issue.message}`).join("; ");
  throw new ValidationError(`${what} is not valid: ${problems}`, result.issues);
}

/** The arguments as their schemas give them back. */
export async function validateArguments<Args extends readonly unknown[]>(
  schema: InputSchema<Args> | undefined,
  args: Args,
  what: string,
): Promise<Args> {
  if (schema === undefined) return args;
  const schemas: readonly Schema<unknown>[] = Array.isArray(schema) ? schema : [schema as Schema<unknown>];
  const valid: unknown[] = [...args];
  for (const [index, one] of schemas.entries()) {
    valid[index] = await validate(one, args[index], `Argument ${index + 1} of ${what}`);
  }
  return valid as unknown as Args;
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  const keys = issue.path?.map((segment) => String(typeof segment === "object" ? segment.key : segment)) ?? [];
  return keys.length === 0 ? "" : `${keys.join(".")}: `;
}
