/** Runs a piece of workflow code, and then again from its history alone, in another app. */
import { expect } from "vitest";
import { defineWorkflow, type HistoryEntry, type Romancy, type WorkflowContext } from "../../../src/index.ts";
import { type AppDefaults, setAppDefaults } from "../../../src/llm/index.ts";
import { startApp } from "../../support/apps.ts";
import { until } from "../../support/wait.ts";

let calls = 0;

export interface Replayed<T> {
  /** What the code gave, both times. */
  readonly value: T;
  readonly history: readonly HistoryEntry[];
  /** The operations that are recorded, in order. */
  readonly operations: readonly string[];
  readonly app: Romancy;
  readonly id: string;
}

/**
 * Runs the code, and again in a fresh app, where it must come to the same; `between` is called in between, such as to
 * note how often a model was called.
 */
export async function replayed<T>(
  code: (ctx: WorkflowContext) => Promise<T>,
  defaults: AppDefaults = {},
  between: () => void = () => {},
): Promise<Replayed<T>> {
  const seen: T[] = [];
  // The app of an earlier call in the same test must not take this one's instance.
  const workflow = defineWorkflow(`replayed-${++calls}`, async (ctx) => {
    seen.push(await code(ctx));
    await ctx.waitEvent("go");
  });
  const start = async (): Promise<Romancy> => {
    const app = await startApp({ workflows: [workflow] });
    setAppDefaults(app, defaults);
    return app;
  };
  const first = await start();
  const { id } = await workflow.start(first);
  await until(async () => {
    const { status, error } = await first.getInstance(id);
    if (status === "failed" || status === "blocked") throw error;
    return status === "waiting" && seen.length > 0;
  });
  await first.shutdown();
  between();
  const app = await start();
  await app.sendEvent({ type: "go", source: "test" });
  await app.handle(workflow, id).result();
  const [value] = seen as [T, ...T[]];
  expect(seen.slice(1), "what the replay came to").toEqual([value]);
  const history = (await app.getHistory(id)).filter(({ operationId }) => !operationId.startsWith("wait_event"));
  return { value, history, operations: history.map(({ operationId }) => operationId), app, id };
}

/** Runs code as a workflow, once, and gives what it returned; rejects with what it threw. */
export async function run<T>(code: (ctx: WorkflowContext) => Promise<T>, defaults: AppDefaults = {}): Promise<T> {
  const workflow = defineWorkflow("run", async (ctx) => {
    try {
      return { value: await code(ctx) };
    } catch (error) {
      thrown = error;
      return {};
    }
  });
  let thrown: unknown;
  const app = await startApp({ workflows: [workflow] });
  setAppDefaults(app, defaults);
  const { value } = (await (await workflow.start(app)).result()) as { value?: T };
  await app.shutdown();
  if (thrown !== undefined) throw thrown;
  return value as T;
}
