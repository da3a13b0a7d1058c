/** What a workflow has done is undone when it fails. */
import { describe, expect, it } from "vitest";
import {
  CompensationError,
  defineActivity,
  defineCompensation,
  defineWorkflow,
  NothingToCompensateError,
  retryPolicies,
  TerminalError,
} from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { countCommits } from "../support/counts.ts";
import { placeholders } from "../support/database.ts";
import { failureOf, making as step, trail } from "../support/trail.ts";
import { gate, until } from "../support/wait.ts";

const fail = defineActivity(
  "fail",
  (): string => {
    throw new TerminalError("no");
  },
  { retry: false },
);

describe("a workflow that fails", () => {
  const three = defineWorkflow("three", async (ctx) => {
    await step(ctx, "a");
    await step(ctx, "b");
    await step(ctx, "c");
    return fail(ctx);
  });

  it("undoes what its activities have done, newest first, with their arguments and results", async () => {
    const app = await startApp({ workflows: [three] });
    const handle = await three.start(app);
    const error = await failureOf(handle.result());
    expect(error).toMatchObject({
      name: "WorkflowFailedError",
      compensationErrors: [],
      cause: { name: "ActivityError" },
    });
    expect(trail).toEqual(["do a", "do b", "do c", "undo c (C)", "undo b (B)", "undo a (A)"]);
    expect(await handle.status()).toBe("failed");
    const history = await app.getHistory(handle.id);
    expect(history.map(({ kind, operationId }) => `${kind} ${operationId}`)).toEqual([
      "activity_completed step:1",
      "activity_completed step:2",
      "activity_completed step:3",
      "activity_failed fail:1",
      "rollback_started rollback",
      "compensation_completed step:3/compensation:1",
      "compensation_completed step:2/compensation:1",
      "compensation_completed step:1/compensation:1",
    ]);
  });

  it("costs a commit for its start, one for each activity and one for each compensation", async () => {
    const ten = defineWorkflow("ten", async (ctx) => {
      for (let n = 0; n < 10; n++) await step(ctx, String(n));
      await fail(ctx);
    });
    const app = await startApp({ workflows: [ten] });
    const commits = await countCommits(async () => {
      await failureOf((await ten.start(app)).result());
    });
    expect(trail).toHaveLength(20);
    // The failure is recorded with the beginning of the rollback, and the last compensation with the end.
    expect(commits).toBe(1 + 10 + 1 + 10);
  });

  it("goes by the order in which they were completed, not that in which they were called", async () => {
    const slow = gate();
    const late = defineActivity(
      "late",
      async (): Promise<string> => {
        await slow.opened;
        return "late";
      },
      { compensation: () => void trail.push("undo late") },
    );
    const quick = defineActivity("quick", () => slow.open(), { compensation: () => void trail.push("undo quick") });
    const flow = defineWorkflow("flow", async (ctx) => {
      await Promise.all([late(ctx), quick(ctx)]);
      throw new Error("no");
    });
    const app = await startApp({ workflows: [flow] });
    await failureOf((await flow.start(app)).result());
    expect(trail).toEqual(["undo late", "undo quick"]);
  });

  it("undoes an activity that is running still once it has ended, and not one that fails", async () => {
    const begun = gate();
    const stopped = gate();
    const running = defineActivity(
      "running",
      async (ctx): Promise<string> => {
        begun.open();
        await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        await stopped.opened;
        trail.push("do running");
        return "done all the same";
      },
      { compensation: (ctx) => void trail.push(`undo ${ctx.result}`) },
    );
    const broken = defineActivity(
      "broken",
      (ctx) =>
        new Promise((_, reject) => {
          ctx.signal.addEventListener("abort", () => reject(new Error("stopped")));
        }),
      { compensation: () => void trail.push("undo broken") },
    );
    const flow = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      const impatient = defineActivity("impatient", () => begun.opened);
      void impatient(ctx).then(() => stopped.open());
      await Promise.all([running(ctx), broken(ctx), impatient(ctx).then(() => Promise.reject(new Error("no")))]);
    });
    const app = await startApp({ workflows: [flow] });
    await failureOf((await flow.start(app)).result());
    expect(trail).toEqual(["do a", "do running", "undo done all the same", "undo a (A)"]);
  });

  it("undoes nothing when it catches the failure and returns", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      await fail(ctx).catch(() => "caught");
      return "fine";
    });
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toBe("fine");
    expect(trail).toEqual(["do a"]);
  });

  it("undoes what was added by hand in its place, with a definition or a function", async () => {
    const release = defineCompensation("release", (ctx, room: number) => {
      trail.push(`release ${room} (${String(ctx.result)})`);
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      ctx.addCompensation(release, 7);
      await step(ctx, "b");
      ctx.addCompensation((_, text: string) => void trail.push(text), "by hand");
      throw new Error("no");
    });
    const app = await startApp({ workflows: [flow] });
    await failureOf((await flow.start(app)).result());
    expect(trail.slice(2)).toEqual(["by hand", "undo b (B)", "release 7 (undefined)", "undo a (A)"]);
  });

  it("undoes what it has done when what it returned cannot be stored", async () => {
    const flow = defineWorkflow("flow", async (ctx): Promise<unknown> => {
      await step(ctx, "a");
      return () => "not to be stored";
    });
    const app = await startApp({ workflows: [flow] });
    expect((await failureOf((await flow.start(app)).result())).cause).toMatchObject({ code: "SERIALIZATION" });
    expect(trail).toEqual(["do a", "undo a (A)"]);
  });

  it("runs a compensation that is called as an activity at once", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      const release = defineCompensation("release", (_, room: number) => void trail.push(`release ${room}`));
      await release(ctx, 3);
      return "fine";
    });
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toBe("fine");
    expect(trail).toEqual(["release 3"]);
  });
});

describe("a compensation", () => {
  it("is tried again, and each attempt is recorded", async () => {
    let attempts = 0;
    const flaky = defineActivity("flaky", () => "done", {
      compensation: defineCompensation(
        "undo_flaky",
        (ctx) => {
          attempts++;
          if (ctx.attempt < 3) throw new Error(`not yet ${ctx.attempt}`);
        },
        { retry: retryPolicies.fixed(5, 1) },
      ),
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await flaky(ctx);
      throw new Error("no");
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    expect((await failureOf(handle.result())).compensationErrors).toEqual([]);
    expect(attempts).toBe(3);
    const kinds = (await app.getHistory(handle.id)).map(({ kind }) => kind);
    expect(kinds).toEqual([
      "activity_completed",
      "rollback_started",
      "attempt_failed",
      "attempt_failed",
      "compensation_completed",
    ]);
  });

  it("that is to be tried again later leaves the instance compensating, and set aside", async () => {
    const slow = defineActivity("slow", () => "done", {
      compensation: defineCompensation(
        "undo_slow",
        () => {
          throw new Error("not now");
        },
        { retry: retryPolicies.fixed(2, "1 hour") },
      ),
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await slow(ctx);
      throw new Error("no");
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    const owner = async (): Promise<unknown> => (await handle.describe()).workerId;
    await until(async () => (await handle.status()) === "compensating" && (await owner()) === undefined);
    expect(await handle.describe()).toMatchObject({
      error: { message: "no" },
      waitingFor: [{ kind: "retry", operationId: "slow:1/compensation:1" }],
    });
  });

  it("that fails for good does not keep the others from it, is shown, and can be tried again", async () => {
    let isBroken = true;
    const broken = defineActivity("broken", (_, name: string) => name, {
      compensation: defineCompensation(
        "undo_broken",
        (_, name: string) => {
          trail.push(`try ${name}`);
          if (isBroken) throw new TypeError("out of order");
        },
        { retry: false },
      ),
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await step(ctx, "a");
      await broken(ctx, "b");
      await step(ctx, "c");
      throw new Error("no");
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    const error = await failureOf(handle.result());
    expect(trail.slice(2)).toEqual(["undo c (C)", "try b", "undo a (A)"]);
    const failures = [{ operationId: "broken:1", compensation: "undo_broken", attempts: 1 }];
    expect(error.compensationErrors).toMatchObject(failures);
    expect(error.compensationErrors[0]).toBeInstanceOf(CompensationError);
    expect(error.compensationErrors[0]?.cause).toBeInstanceOf(TypeError);
    expect(error.message).toContain("a compensation failed");
    expect(await handle.describe()).toMatchObject({ status: "failed", compensationErrors: failures });

    await app.retryCompensations(handle.id);
    expect(await failureOf(handle.result())).toMatchObject({ compensationErrors: failures });
    isBroken = false;
    await app.retryCompensations(handle.id);
    expect(await failureOf(handle.result())).toMatchObject({ compensationErrors: [], cause: { message: "no" } });
    expect(trail.slice(5)).toEqual(["try b", "try b"]);
    await expect(app.retryCompensations(handle.id)).rejects.toBeInstanceOf(NothingToCompensateError);
    await expect(app.retryCompensations("nobody")).rejects.toMatchObject({ code: "INSTANCE_NOT_FOUND" });
  });

  it("writes through its session in the transaction that records it", async () => {
    await testDatabase().exec("create table undone (name varchar(100))");
    const stored = defineActivity("stored", (_, name: string) => name, {
      compensation: async (ctx, name) => {
        await ctx.session.query(placeholders("insert into undone (name) values (?)"), [`${name} ${ctx.attempt}`]);
        if (ctx.attempt === 1) throw new Error("rolled back");
      },
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await stored(ctx, "x");
      throw new Error("no");
    });
    const app = await startApp({ workflows: [flow] });
    await failureOf((await flow.start(app)).result());
    expect(await testDatabase().rows("select name from undone")).toEqual([{ name: "x 2" }]);
  });
});
