/** Workflows that an app knows. */
import { DuplicateNameError, ValidationError } from "../core/errors.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";

/**
 * Adds all of them, or none.
 *
 * @throws ValidationError, DuplicateNameError
 */
export function registerAll(known: Map<string, AnyWorkflow>, workflows: readonly AnyWorkflow[]): void {
  const added = new Map<string, AnyWorkflow>();
  for (const workflow of workflows) {
    if (!isWorkflow(workflow)) throw noWorkflow(workflow);
    const { name } = workflow;
    const other = added.get(name) ?? known.get(name);
    if (other && other !== workflow) {
      throw new DuplicateNameError(`Two different workflows are called ${name}. Give each its own name.`);
    }
    added.set(name, workflow);
  }
  for (const [name, workflow] of added) known.set(name, workflow);
}

/** Activities, too, have a name and a function; only workflows can be started. */
function isWorkflow(given: unknown): boolean {
  if (typeof given !== "function") return false;
  const { fn, options, start } = given as {
    readonly fn?: unknown;
    readonly options?: unknown;
    readonly start?: unknown;
  };
  return typeof fn === "function" && typeof options === "object" && typeof start === "function";
}

function noWorkflow(given: unknown): ValidationError {
  const isNamed = typeof given === "function" && given.name !== "";
  const shown = isNamed ? given.name : typeof given === "object" && given !== null ? "an object" : String(given);
  return new ValidationError(`No workflow was given, but ${shown}. Give what \`defineWorkflow\` has returned.`);
}
