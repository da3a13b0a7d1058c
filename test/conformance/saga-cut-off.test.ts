/** A worker that stops while it undoes what a workflow has done. */
import { describe, expect, it } from "vitest";
import { defineActivity, defineCompensation, defineWorkflow } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { failureOf, making as step, trail } from "../support/trail.ts";
import { gate, until } from "../support/wait.ts";

describe("a rollback that was cut off", () => {
  it("goes on with what is left, and does not run the workflow forward again", async () => {
    const hold = gate();
    const held = defineActivity("held", (_, name: string) => trail.push(`do ${name}`), {
      compensation: async (_, name) => {
        trail.push(`undo ${name}`);
        if (trail.filter((line) => line === `undo ${name}`).length === 1) await hold.opened;
      },
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      await held(ctx, "b");
      await step(ctx, "c");
      throw new Error("no");
    });
    const one = await startApp({ workflows: [flow], shutdownTimeout: 0 });
    const { id } = await flow.start(one);
    await until(() => trail.includes("undo b"));
    await one.shutdown();
    const two = await startApp({ workflows: [flow] });
    await failureOf(two.handle(flow, id).result());
    expect(trail).toEqual(["do a", "do b", "do c", "undo c (C)", "undo b", "undo b", "undo a (A)"]);
    hold.open();
  });

  it("goes on with what is left of a retry, too, though that was asked for twice", async () => {
    let isBroken = true;
    const begun = gate();
    const hold = gate();
    const broken = defineActivity("broken", (_, name: string) => name, {
      compensation: defineCompensation(
        "undo_broken",
        async (ctx, name: string) => {
          if (isBroken) throw new Error("out of order");
          trail.push(`undo ${name} by ${ctx.activityId}`);
          if (name !== "x" || trail.length > 4) return;
          begun.open();
          await hold.opened;
        },
        { retry: false },
      ),
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await broken(ctx, "x");
      await step(ctx, "a");
      await broken(ctx, "y");
      throw new Error("no");
    });
    const one = await startApp({ workflows: [flow], shutdownTimeout: 0 });
    const client = await startApp({ worker: false });
    const handle = client.handle(flow, (await flow.start(one)).id);
    expect((await failureOf(handle.result())).compensationErrors).toHaveLength(2);
    isBroken = false;
    // One of them may come when the other has been taken up, and finds nothing to be done.
    await Promise.allSettled([client.retryCompensations(handle.id), one.retryCompensations(handle.id)]);
    await begun.opened;
    await one.shutdown();
    await startApp({ workflows: [flow] });
    expect(await failureOf(handle.result())).toMatchObject({ compensationErrors: [], cause: { message: "no" } });
    const y = "undo y by broken:2/compensation:2";
    const x = "undo x by broken:1/compensation:2";
    expect(trail).toEqual(["do a", "undo a (A)", y, x, x]);
    expect(await handle.status()).toBe("failed");
    hold.open();
  });

  it("is blocked when the code does not come to its end any more, and goes on with code that does", async () => {
    const hold = gate();
    const undone = defineActivity("undone", () => "x", {
      compensation: async () => {
        trail.push("undo");
        if (trail.length === 1) await hold.opened;
      },
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await undone(ctx);
      throw new Error("no");
    });
    const other = defineWorkflow("flow", async (ctx) => {
      await undone(ctx);
      return step(ctx, "never");
    });
    const one = await startApp({ workflows: [flow], shutdownTimeout: 0 });
    const { id } = await flow.start(one);
    await until(() => trail.length === 1);
    await one.shutdown();
    const two = await startApp({ workflows: [other] });
    await until(async () => (await two.getInstance(id)).status === "blocked");
    expect((await two.getInstance(id)).error).toMatchObject({ code: "NON_DETERMINISM" });
    await two.shutdown();
    const three = await startApp({ workflows: [flow] });
    await failureOf(three.handle(flow, id).result());
    expect(trail).toEqual(["undo", "undo"]);
    hold.open();
  });
});
