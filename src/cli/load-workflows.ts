import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AnyWorkflow, Workflow } from "../index.ts";
import { UsageError } from "./failure.ts";

/** A workflow of a module, whatever its arguments. */
export type LoadedWorkflow = AnyWorkflow & Pick<Workflow<unknown[], unknown>, "with">;

/**
 * The workflows that a module exports: by name, in a list, or in an object that it exports as its default.
 *
 * @throws UsageError when there is no such file, or none is in it
 */
export async function loadWorkflows(file: string): Promise<LoadedWorkflow[]> {
  const path = resolve(file);
  if (!existsSync(path)) throw new UsageError(`the module ${file} does not exist`);
  const found = workflowsIn(await load(path, file));
  if (found.length === 0)
    throw new UsageError(`the module ${file} exports no workflow: export what \`defineWorkflow\` gives`);
  return found;
}

async function load(path: string, file: string): Promise<object> {
  try {
    return (await import(pathToFileURL(path).href)) as object;
  } catch (cause) {
    const isUnknown = cause instanceof Error && "code" in cause && cause.code === "ERR_UNKNOWN_FILE_EXTENSION";
    if (isUnknown) {
      const message = `this Node.js (${process.version}) does not run ${file}: use 22.18 or newer for TypeScript, or build it first`;
      throw new UsageError(message, { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The module ${file} cannot be loaded: ${reason}`, { cause });
  }
}

function workflowsIn(exported: object): LoadedWorkflow[] {
  const values = Object.values(exported).flatMap((value: unknown) => {
    if (isWorkflow(value)) return [value];
    return typeof value === "object" && value !== null ? Object.values(value).filter(isWorkflow) : [];
  });
  return [...new Set(values)];
}

/** By its form: the module may have been written for another copy of romancy. */
function isWorkflow(value: unknown): value is LoadedWorkflow {
  return typeof value === "function" && ["fn", "options", "start", "with"].every((member) => member in value);
}
