/** Which workflows become tools, and what users may say of that. */
import {
  type AnyWorkflow,
  DuplicateNameError,
  type StartOptions,
  ValidationError,
  type Workflow,
  type WorkflowHandle,
  type WorkflowStarter,
} from "../index.ts";
import { type ToolInput, toolInput } from "./arguments.ts";
import type { JsonSchema } from "./json-schema.ts";
import { checkOptions, type KnownKeys } from "./options.ts";

/** What the four tools of a workflow are called, and what models are told of them. */
export interface WorkflowToolsOptions<Args extends readonly unknown[]> {
  /** What the workflow is for. Default: the workflow's own `description`. */
  readonly description?: string;
  /** What each tool does, after the description. Defaults say how the four belong together. */
  readonly descriptions?: Partial<Readonly<Record<Verb, string>>>;
  /** What the tools' names begin with, before `_start` and the others. Default: the workflow's name. */
  readonly prefix?: string;
  /** Names for the workflow's arguments, in order. Then the tool takes them by name. */
  readonly parameters?: readonly string[];
  /** What the tool shows as its input, instead of what the workflow's own schemas say. The schemas check all the same. */
  readonly inputSchema?: JsonSchema;
  /** The id of the instance, made of its arguments. Then the same call, made twice, starts one instance. */
  readonly instanceId?: (...args: Args) => string;
}

const KNOWN: KnownKeys<WorkflowToolsOptions<[]>> = {
  description: true,
  descriptions: true,
  prefix: true,
  parameters: true,
  inputSchema: true,
  instanceId: true,
};

export type Verb = "start" | "status" | "result" | "cancel";

/** A workflow of whichever types. */
export interface ExposableWorkflow extends AnyWorkflow {
  with(options: StartOptions): {
    start(starter: WorkflowStarter, ...args: never): Promise<WorkflowHandle<unknown>>;
  };
}

/** A workflow with what is said of its tools. */
export interface WorkflowTools {
  readonly workflow: ExposableWorkflow;
  readonly options: WorkflowToolsOptions<never>;
}

/**
 * A workflow for `createMcpServer`, with more said of its tools.
 *
 * @example
 * workflowTools(order, { prefix: "shop_order", parameters: ["orderId", "amount"], instanceId: (orderId) => orderId });
 */
export function workflowTools<Args extends readonly unknown[], Result>(
  workflow: Workflow<Args, Result>,
  options: WorkflowToolsOptions<Args>,
): WorkflowTools {
  checkOptions(`the tools of workflow ${workflow.name}`, options, KNOWN);
  return { workflow, options };
}

/** One workflow as its tools see it. */
export interface Offer {
  readonly workflow: ExposableWorkflow;
  readonly prefix: string;
  readonly input: ToolInput;
  readonly instanceId: ((...args: never) => string) | undefined;
  describe(verb: Verb): string;
}

/**
 * @throws DuplicateNameError when two workflows have the same prefix
 * @throws ValidationError when a tool cannot be called so, or its input cannot be shown
 */
export function offersOf(workflows: readonly (ExposableWorkflow | WorkflowTools)[]): readonly Offer[] {
  const offers = workflows.map((one) => ("workflow" in one ? offerOf(one) : offerOf({ workflow: one, options: {} })));
  for (const [index, { prefix, workflow }] of offers.entries()) {
    const same = offers.slice(0, index).find((one) => one.prefix === prefix);
    if (!same) continue;
    throw new DuplicateNameError(
      `The tools of the workflows ${same.workflow.name} and ${workflow.name} begin both with ${prefix}. Give one a ` +
        "`prefix` of its own, with `workflowTools`.",
    );
  }
  return offers;
}

/** The longest that clients are sure to take, less that of `_status`. */
const PREFIX = /^[A-Za-z0-9_.-]{1,120}$/;

function offerOf({ workflow, options }: WorkflowTools): Offer {
  const { prefix = workflow.name, descriptions = {}, instanceId } = options;
  if (!PREFIX.test(prefix)) {
    throw new ValidationError(
      `Tools cannot be called ${prefix}_start. Give workflow ${workflow.name} a \`prefix\` of 1 to 120 letters, digits, ` +
        '"_", "-" and ".", with `workflowTools`.',
    );
  }
  const main = options.description ?? workflow.options.description;
  const defaults = defaultDescriptions(prefix, workflow.name);
  const describe = (verb: Verb): string => {
    const specific = descriptions[verb] ?? defaults[verb];
    return main === undefined ? specific : `${main} - ${specific}`;
  };
  return { workflow, prefix, input: toolInput(workflow, options), instanceId, describe };
}

function defaultDescriptions(prefix: string, name: string): Readonly<Record<Verb, string>> {
  return {
    start:
      `Starts a new instance of the workflow ${name} and answers at once with its instance_id. The work goes on by ` +
      `itself; ask for it with ${prefix}_status, and for what came of it with ${prefix}_result.`,
    status: `Tells how far an instance of the workflow ${name} is, what it waits for, and when to ask again.`,
    result:
      `Gives what an instance of the workflow ${name} has returned. Fails while it goes on: give wait_seconds to wait ` +
      "for its end, or ask again later.",
    cancel: `Cancels an instance of the workflow ${name} that goes on. What it has done is undone.`,
  };
}
