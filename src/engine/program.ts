import type { Execution } from "../core/execution.ts";
import { validate, validateArguments } from "../workflow/schema.ts";
import type { AnyWorkflow } from "../workflow/workflow.ts";
import { checkReturned, Recurrence } from "./recurrence.ts";
import type { ContextOptions, Request } from "./requests.ts";
import { runAsWorkflow } from "./scope.ts";
import { EngineWorkflowContext } from "./workflow-context.ts";

/** Runs the workflow's code: gives what it returned, checked, or the arguments that it is to go on with. */
export function runProgram(
  workflow: AnyWorkflow,
  args: readonly unknown[],
  execution: Execution<Request>,
  contextOptions: ContextOptions,
): Promise<unknown> {
  const { options, name } = workflow;
  return runAsWorkflow(async () => {
    const context = new EngineWorkflowContext(execution, contextOptions);
    const result: unknown = await contextOptions.seams.workflow(workflow, context, args);
    checkReturned(result, context.recurrence);
    if (result instanceof Recurrence) {
      return new Recurrence(await validateArguments(options.input, result.args, `workflow ${name}`));
    }
    return options.output ? validate(options.output, result, `The result of workflow ${name}`) : result;
  });
}
