/** What hooks are told in the less common courses of things, and what they cannot do to those. */
import { describe, expect, it } from "vitest";
import { defineActivity, defineCompensation, defineWorkflow, type Hooks, TerminalError } from "../../src/index.ts";
import { recordingLogger, startApp, testDatabase } from "../support/apps.ts";
import { recordingHooks } from "../support/facts.ts";
import { until } from "../support/wait.ts";

describe("hooks", () => {
  it("keep of a context only what is a text, whatever was captured", async () => {
    const { hooks, of } = recordingHooks();
    const logger = recordingLogger();
    const late = (): unknown => Promise.reject(new Error("too late"));
    const captures = [() => ({ traceparent: "00-a", rank: 1n }), late, () => "text", () => ["list"]];
    const capturing = captures.map((capture) => ({ captureContext: capture }) as Hooks);
    const flow = defineWorkflow("flow", () => 1);
    const app = await startApp({ workflows: [flow], hooks: [...capturing, hooks], logger });
    await (await flow.start(app)).result();
    expect(of("onWorkflowStart")).toMatchObject([{ traceContext: { traceparent: "00-a", 0: "list" } }]);
    expect(of("onWorkflowStart")[0]?.["traceContext"]).not.toHaveProperty("rank");
    expect(logger.lines.filter(({ message }) => message === "A hook failed.")).toHaveLength(1);
  });

  it("cannot change what an activity is given", async () => {
    const hide = ({ input }: { readonly input: unknown }): void => {
      (input as [{ password: string }])[0].password = "***";
    };
    const login = defineActivity("login", (_, user: { password: string }, done: () => string) => [user, done()]);
    const flow = defineWorkflow("flow", (ctx) => login(ctx, { password: "hush" }, () => "done"));
    const { hooks, of } = recordingHooks();
    const app = await startApp({
      workflows: [flow],
      hooks: [{ onActivityStart: hide }, { aroundActivity: hide }, hooks],
    });
    expect(await (await flow.start(app)).result()).toEqual([{ password: "hush" }, "done"]);
    expect(of("onActivityStart")).toMatchObject([{ input: [{ password: "hush" }, '() => "done"'] }]);
  });

  it("see nothing of what is sensitive when it is undone, nor in the failure that it caused", async () => {
    const { hooks, told, of } = recordingHooks();
    const around: string[] = [];
    const undo = defineCompensation("undo", (_, word: string) => Promise.reject(new TerminalError(`kept ${word}`)));
    const reserve = defineActivity("reserve", (_, word: string) => word, { sensitive: true, compensation: undo });
    const pay = defineActivity("pay", (_, word: string) => Promise.reject(new TerminalError(`not ${word}`)), {
      sensitive: true,
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await reserve(ctx, "hush");
      await pay(ctx, "hush");
    });
    const watching: Hooks = {
      aroundActivity(fact, run) {
        run().catch((error: unknown) => around.push(JSON.stringify(fact), String(error)));
      },
    };
    const app = await startApp({ workflows: [flow], hooks: [hooks, watching] });
    await expect((await flow.start(app)).result()).rejects.toThrow("not hush");
    await until(() => of("onWorkflowFailed").length === 1);
    const said = told.flatMap(({ fact }) => [JSON.stringify(fact), ...Object.values(fact).map(textOf)]);
    expect([...said, ...around].filter((text) => text.includes("hush"))).toEqual([]);
    expect(of("onCompensationStart")).toMatchObject([{ input: "[redacted]" }]);
    const error = { activityId: "pay:1", message: "Activity pay:1 failed after 1 attempt: [redacted]" };
    expect(of("onRollbackStart")).toMatchObject([{ error }]);
    expect(of("onWorkflowFailed")).toMatchObject([{ error, compensationErrors: [{ operationId: "reserve:1" }] }]);
  });

  it("are told of an instance that cannot be read, and not kept from running one whose context cannot", async () => {
    const { hooks, of } = recordingHooks();
    const flow = defineWorkflow("flow", (ctx, n: number) => ctx.sleep("1h").then(() => n));
    const quick = defineWorkflow("quick", () => 1);
    const client = await startApp({ worker: false });
    const [broken, fine] = [await flow.start(client, 1), await quick.start(client)];
    await testDatabase().exec(`update romancy_instances set input = '[' where id = '${broken.id}'`);
    await testDatabase().exec(`update romancy_instances set trace_context = '{' where id = '${fine.id}'`);
    await startApp({ workflows: [flow, quick], hooks });
    expect(await fine.result()).toBe(1);
    await until(() => of("onWorkflowBlocked").length === 1);
    expect(of("onWorkflowBlocked")).toMatchObject([{ instanceId: broken.id, workflowName: "flow" }]);
  });

  it("are told of a retry once, and of all runs that they end, however instances come and go", async () => {
    const { hooks, told, of } = recordingHooks();
    let isBroken = true;
    const flaky = defineActivity("flaky", () => {
      if (isBroken) throw new TerminalError("broken");
    });
    const done = defineWorkflow("done", () => "done");
    const failing = defineWorkflow("failing", (ctx) => flaky(ctx));
    const undone = defineWorkflow("undone", async (ctx) => {
      await done(ctx);
      throw new Error("undo it");
    });
    const waiting = defineWorkflow("waiting", (ctx) => ctx.waitEvent("never"));
    const chain = defineWorkflow("chain", async (ctx, hop: number): Promise<void> => {
      await ctx.sleep(1);
      return hop < 2 ? ctx.recur(hop + 1) : undefined;
    });
    const workflows = [done, failing, undone, waiting, chain];
    const client = await startApp({ worker: false });
    const early = await waiting.start(client);
    await client.cancel(early.id);
    const app = await startApp({ workflows, hooks });
    const [failed, parent, cancelled, recurring] = [
      await failing.start(app),
      await undone.start(app),
      await waiting.start(app),
      await chain.start(app, 0),
    ];
    await expect(failed.result()).rejects.toThrow("broken");
    await expect(parent.result()).rejects.toThrow("undo it");
    isBroken = false;
    await app.retry(failed.id);
    await until(() => of("onEventWaitStart").some(({ instanceId }) => instanceId === cancelled.id));
    await app.cancel(cancelled.id);
    await Promise.all([failed.result(), recurring.result()]);
    await Promise.all([cancelled, early].map((handle) => expect(handle.result()).rejects.toThrow("cancelled")));
    await app.shutdown();
    expect(of("onRetry")).toEqual([{ instanceId: failed.id, instances: 1 }]);
    const runs = new Map<unknown, number>();
    for (const { name, fact } of told) {
      const change = Number(name === "onRunStart") - Number(name === "onRunEnd");
      const running = (runs.get(fact["instanceId"]) ?? 0) + change;
      expect(running === 0 || running === 1, `${name} of ${String(fact["instanceId"])}`).toBe(true);
      runs.set(fact["instanceId"], running);
    }
    expect([...runs.values()].filter((running) => running !== 0)).toEqual([]);
    const ends = (name: keyof Hooks) =>
      of(name)
        .map(({ workflowName }) => workflowName)
        .sort();
    expect(ends("onWorkflowComplete")).toEqual(["chain", "done", "failing"]);
    expect(ends("onWorkflowFailed")).toEqual(["failing", "undone"]);
    expect(ends("onWorkflowCancelled")).toEqual(["done", "waiting", "waiting"]);
    expect(of("onRecur")).toHaveLength(2);
  });
});

/** With what JSON leaves out. */
function textOf(value: unknown): string {
  return [value]
    .flat()
    .map((one) => (one instanceof Error ? `${String(one)} ${String(one.cause)}` : String(one)))
    .join();
}
