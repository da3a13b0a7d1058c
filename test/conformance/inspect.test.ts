import { describe, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  InstanceNotFoundError,
  TerminalError,
  ValidationError,
} from "../../src/index.ts";
import { startApp } from "../support/apps.ts";

describe("getInstance and describe", () => {
  it("tell all about an instance", async () => {
    const flow = defineWorkflow("flow", (_, input: { n: number }) => ({ twice: input.n * 2 }), { version: "7" });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.with({ id: "one", tags: { team: "a" }, priority: 3 }).start(app, { n: 21 });
    await handle.result();
    const description = await handle.describe();
    expect(description).toEqual({
      id: "one",
      workflow: "flow",
      status: "completed",
      tags: { team: "a" },
      priority: 3,
      version: "7",
      rootId: "one",
      compensationErrors: [],
      workerId: undefined,
      createdAt: expect.any(Date),
      updatedAt: expect.any(Date),
      completedAt: expect.any(Date),
      input: [{ n: 21 }],
      output: { twice: 42 },
      waitingFor: [],
    });
    expect(await app.getInstance("one")).toEqual(description);
    expect(await handle.status()).toBe("completed");
  });

  it("refuse an id that does not exist", async () => {
    const flow = defineWorkflow("flow", () => 1);
    const app = await startApp({ workflows: [flow] });
    const handle = app.handle(flow, "nobody");
    for (const call of [handle.result(), handle.status(), handle.describe(), app.getInstance("nobody")]) {
      await expect(call).rejects.toThrow(InstanceNotFoundError);
    }
    await expect(app.getHistory("nobody")).rejects.toThrow(InstanceNotFoundError);
  });

  it("give the error of a failed instance, also to a handle of later", async () => {
    const stop = defineActivity("stop", () => Promise.reject(new TerminalError("enough")));
    const flow = defineWorkflow("flow", (ctx) => stop(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result()).rejects.toThrow("enough");
    await expect(app.handle(flow, handle.id).result()).rejects.toMatchObject({
      code: "WORKFLOW_FAILED",
      cause: expect.objectContaining({ code: "ACTIVITY_FAILED", attempts: 1 }),
    });
    expect(await handle.describe()).toMatchObject({ status: "failed", error: { code: "ACTIVITY_FAILED" } });
  });
});

describe("listInstances", () => {
  it("gives pages, newest first, by workflow and status", async () => {
    const a = defineWorkflow("a", (_, n: number) => n);
    const b = defineWorkflow("b", () => Promise.reject(new Error("no")));
    const app = await startApp({ workflows: [a, b] });
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      const handle = await a.start(app, n);
      ids.unshift(handle.id);
      await handle.result();
      // Of two that were made in the same millisecond neither is newer.
      const { createdAt } = await handle.describe();
      while (Date.now() <= createdAt.getTime() + 1) await new Promise((resolve) => setImmediate(resolve));
    }
    const failed = await b.start(app);
    await failed.result().catch(() => {});

    expect((await app.listInstances()).instances.map(({ id }) => id)).toEqual([failed.id, ...ids]);
    expect((await app.listInstances({ status: "failed" })).instances.map(({ id }) => id)).toEqual([failed.id]);
    const seen: string[] = [];
    let pageToken: string | undefined;
    do {
      const page = await app.listInstances({ workflow: "a", limit: 2, ...(pageToken && { pageToken }) });
      seen.push(...page.instances.map(({ id }) => id));
      expect(page.hasMore).toBe(page.nextPageToken !== undefined);
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(seen).toEqual(ids);
  });

  it("refuses filters that make no sense", async () => {
    const app = await startApp();
    for (const filter of [{ limit: 0 }, { limit: 1.5 }, { status: "sleepy" as "failed" }, { pageToken: "next" }]) {
      await expect(app.listInstances(filter)).rejects.toThrow(ValidationError);
    }
  });
});
