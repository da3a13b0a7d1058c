/** Workflows that are run by workflows. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  defineActivity,
  defineCompensation,
  defineWorkflow,
  InstanceConflictError,
  MisplacedCallError,
  ResultTimeoutError,
  type Romancy,
  WorkflowFailedError,
  WorkflowNotRegisteredError,
} from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { failureOf, step, trail } from "../support/trail.ts";
import { gate, until } from "../support/wait.ts";

async function ids(app: Romancy, workflow: string): Promise<string[]> {
  return (await app.listInstances({ workflow })).instances.map(({ id }) => id);
}

/** Resolves when the instance waits, and so hears of what it waits for. */
async function isWaiting(app: Romancy, id: string): Promise<void> {
  await until(async () => (await app.getInstance(id)).status === "waiting");
}

const double = defineWorkflow("double", async (ctx, n: number) => {
  await step(ctx, `double ${n}`);
  return n * 2;
});

const broken = defineWorkflow("broken", async (ctx): Promise<number> => {
  await step(ctx, "broken");
  throw new RangeError("too far");
});

const waits = defineWorkflow("waits", async (ctx, name: string) => {
  await step(ctx, name);
  const { data } = await ctx.waitEvent<string>("go", { key: name });
  return data;
});

describe("a child", () => {
  it("gives what it returns to its parent, and its line is seen", async () => {
    const parent = defineWorkflow(
      "parent",
      async (ctx, n: number) => (await double(ctx, n)) + (await double(ctx, n + 1)),
    );
    const root = defineWorkflow("root", (ctx) => parent.with({ id: "the-parent", tags: { t: "1" } })(ctx, 3));
    const app = await startApp({ workflows: [root, parent, double] });
    const handle = await root.start(app);
    expect(await handle.result()).toBe(14);
    expect(trail).toEqual(["do double 3", "do double 4"]);
    const parentOf = await app.getInstance("the-parent");
    expect(parentOf).toMatchObject({ parentId: handle.id, rootId: handle.id, tags: { t: "1" }, status: "completed" });
    const children = await ids(app, "double");
    expect(children).toHaveLength(2);
    for (const id of children) {
      expect(await app.getInstance(id)).toMatchObject({ parentId: "the-parent", rootId: handle.id });
    }
    const history = await app.getHistory("the-parent");
    expect(history.map(({ kind, operationId }) => `${kind} ${operationId}`)).toEqual([
      "wait_started double:1",
      "child_ended double:1",
      "wait_started double:2",
      "child_ended double:2",
    ]);
    expect(history[1]).toMatchObject({ workflow: "double", status: "completed", result: 6, childId: children[1] });
  });

  it("runs beside others, and beside its parent", async () => {
    const parent = defineWorkflow("parent", async (ctx) => {
      const [a, b, c] = await Promise.all([double(ctx, 1), double(ctx, 2), step(ctx, "parent")]);
      return [a, b, c ?? "nothing"];
    });
    const app = await startApp({ workflows: [parent, double] });
    expect(await (await parent.start(app)).result()).toEqual([2, 4, "nothing"]);
  });

  it("fails in its parent with what it threw as the cause, and has undone what it has done", async () => {
    const errors: unknown[] = [];
    const parent = defineWorkflow("parent", async (ctx) => {
      await step(ctx, "parent");
      return broken(ctx).catch((error: unknown) => {
        errors.push(error);
        return "caught";
      });
    });
    const app = await startApp({ workflows: [parent, broken], maxParkedInstances: 0 });
    expect(await (await parent.start(app)).result()).toBe("caught");
    for (const error of errors) expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(errors[0]).toMatchObject({ workflow: "broken", cause: new RangeError("too far") });
    expect(trail).toEqual(["do parent", "do broken", "undo broken"]);
  });

  it("waits in the database with its parent, also while no worker is there", async () => {
    const parent = defineWorkflow("parent", (ctx) => waits(ctx, "a"));
    const one = await startApp({ workflows: [parent, waits] });
    const handle = await parent.start(one);
    await until(async () => (await handle.status()) === "waiting");
    expect((await handle.describe()).waitingFor).toMatchObject([
      { kind: "child", workflow: "waits", until: undefined },
    ]);
    const [child] = await ids(one, "waits");
    await until(async () => (await one.getInstance(String(child))).status === "waiting");
    await one.shutdown();
    const client = await startApp({ worker: false });
    await client.sendEvent({ type: "go", source: "test", subject: "a", data: "gone" });
    const two = await startApp({ workflows: [parent, waits] });
    expect(await two.handle(parent, handle.id).result()).toBe("gone");
    expect(trail).toEqual(["do a"]);
  });

  it("is one, whatever becomes of its parent's process", async () => {
    const held = gate();
    const hold = defineActivity("hold", () => held.opened);
    const child = defineWorkflow("child", (ctx) => hold(ctx));
    const parent = defineWorkflow("parent", (ctx) => child(ctx));
    let app = await startApp({ workflows: [parent, child], shutdownTimeout: 0 });
    const { id } = await parent.start(app);
    for (let crash = 0; crash < 3; crash++) {
      await until(async () => (await ids(app, "child")).length === 1);
      await app.shutdown();
      app = await startApp({ workflows: [parent, child], shutdownTimeout: 0 });
    }
    held.open();
    await app.handle(parent, id).result();
    expect(await ids(app, "child")).toHaveLength(1);
  });

  it("may go on as another: its parent gets what the last one returns", async () => {
    const counter = defineWorkflow("counter", async (ctx, n: number): Promise<unknown> => {
      await ctx.sleep(1);
      return n < 3 ? ctx.recur(n + 1) : `counted to ${n}`;
    });
    const parent = defineWorkflow("parent", (ctx) => counter(ctx, 0));
    const app = await startApp({ workflows: [parent, counter] });
    const handle = await parent.start(app);
    expect(await handle.result()).toBe("counted to 3");
    for (const id of await ids(app, "counter")) expect((await app.getInstance(id)).parentId).toBe(handle.id);
  });

  it("is refused when its input is not valid, its worker does not know it, or its id is another's", async () => {
    const strict = defineWorkflow("strict", (_, n: number) => n, { input: z.number().max(9) });
    const foreign = defineWorkflow("foreign", () => 1);
    const errors: unknown[] = [];
    const parent = defineWorkflow("parent", async (ctx) => {
      const note = (error: unknown): void => void errors.push(error);
      await strict(ctx, 10).catch(note);
      await foreign(ctx).catch(note);
      await double.with({ id: "taken" })(ctx, 1).catch(note);
      await double.with({ id: "mine" })(ctx, 1);
      await double.with({ id: "mine" })(ctx, 2).catch(note);
      return double.with({ id: "mine" })(ctx, 1);
    });
    const app = await startApp({ workflows: [parent, strict, double], maxParkedInstances: 1_000 });
    await (await double.with({ id: "taken" }).start(app, 1)).result();
    expect(await (await parent.start(app)).result()).toBe(2);
    expect(errors.map((error) => (error as Error).name)).toEqual([
      "ValidationError",
      WorkflowNotRegisteredError.name,
      InstanceConflictError.name,
      InstanceConflictError.name,
    ]);
    expect(await ids(app, "double")).toHaveLength(2);
    await expect(double(undefined as never, 1)).rejects.toBeInstanceOf(MisplacedCallError);
  });
});

describe("a handle in a workflow", () => {
  it("has its answers recorded", async () => {
    const parent = defineWorkflow("parent", async (ctx) => {
      const handle = await waits.start(ctx, "b");
      const early = await handle.result({ timeout: 1 }).catch((error: Error) => error.name);
      const status = await handle.status();
      await ctx.sleep(1);
      await step(ctx, "between");
      const [one, two] = await Promise.all([handle.result(), handle.result()]);
      return [early, ["pending", "running", "waiting"].includes(status), one, two, await handle.result(), handle.id];
    });
    const app = await startApp({ workflows: [parent, waits], maxParkedInstances: 0 });
    const handle = await parent.start(app);
    await until(() => trail.includes("do between"));
    const [child] = await ids(app, "waits");
    await isWaiting(app, String(child));
    await app.sendEvent({ type: "go", source: "test", subject: "b", data: "x" });
    expect(await handle.result()).toEqual([ResultTimeoutError.name, true, "x", "x", "x", child]);
    expect(trail).toEqual(["do b", "do between"].toSorted());
  });

  it("cancels its child", async () => {
    const parent = defineWorkflow("parent", async (ctx) => {
      const handle = await waits.start(ctx, "c");
      await ctx.waitEvent("now");
      await handle.cancel("not needed");
      return handle.result().catch((error: WorkflowFailedError) => String((error.cause as Error).message));
    });
    const app = await startApp({ workflows: [parent, waits] });
    const handle = await parent.start(app);
    await until(() => trail.length === 1);
    await isWaiting(app, handle.id);
    await app.sendEvent({ type: "now", source: "test" });
    expect(await handle.result()).toContain("not needed");
    expect(trail).toEqual(["do c", "undo c"]);
    expect(await handle.status()).toBe("completed");
  });
});

describe("a parent that fails", () => {
  it("has its completed children undo what they have done, in its own order", async () => {
    const nested = defineWorkflow("nested", async (ctx) => {
      await step(ctx, "n1");
      await double(ctx, 1);
      await step(ctx, "n2");
      return "nested";
    });
    const parent = defineWorkflow("parent", async (ctx) => {
      await step(ctx, "a");
      await nested(ctx);
      await step(ctx, "b");
      throw new Error("no");
    });
    const app = await startApp({ workflows: [parent, nested, double] });
    const handle = await parent.start(app);
    expect(await failureOf(handle.result())).toMatchObject({ compensationErrors: [], cause: { message: "no" } });
    expect(trail.slice(5)).toEqual(["undo b", "undo n2", "undo double 1", "undo n1", "undo a"]);
    const [child] = await ids(app, "nested");
    expect(await app.getInstance(String(child))).toMatchObject({ status: "cancelled" });
  });

  it("cancels children that run still, but not detached ones", async () => {
    const parent = defineWorkflow("parent", async (ctx) => {
      await waits.start(ctx, "attached");
      await waits.with({ id: "free", detached: true }).start(ctx, "detached");
      await ctx.waitEvent("fail");
      throw new Error("no");
    });
    const app = await startApp({ workflows: [parent, waits] });
    const handle = await parent.start(app);
    await until(() => trail.length === 2);
    await isWaiting(app, handle.id);
    await app.sendEvent({ type: "fail", source: "test" });
    await failureOf(handle.result());
    expect(trail.slice(2)).toEqual(["undo attached"]);
    await isWaiting(app, "free");
    await app.sendEvent({ type: "go", source: "test", subject: "detached", data: "free" });
    expect(await app.handle(waits, "free").result()).toBe("free");
  });

  it("tells of a child's compensation that failed", async () => {
    const undoStuck = defineCompensation(
      "undo_stuck",
      () => {
        throw new Error("cannot be undone");
      },
      { retry: false },
    );
    const stuck = defineActivity("stuck", () => "x", { compensation: undoStuck });
    const child = defineWorkflow("child", async (ctx) => stuck(ctx));
    const parent = defineWorkflow("parent", async (ctx) => {
      await step(ctx, "a");
      await child(ctx);
      throw new Error("no");
    });
    const app = await startApp({ workflows: [parent, child] });
    const { compensationErrors } = await failureOf((await parent.start(app)).result());
    expect(compensationErrors).toMatchObject([
      { compensation: "child", operationId: "child:1", cause: { compensationErrors: [{ operationId: "stuck:1" }] } },
    ]);
    expect(trail).toEqual(["do a", "undo a"]);
  });

  it("has a child's compensations run once more that have failed", async () => {
    let isBroken = true;
    const undoStuck = defineCompensation(
      "undo_stuck",
      () => {
        if (isBroken) throw new Error("cannot be undone");
        trail.push("undo stuck");
      },
      { retry: false },
    );
    const stuck = defineActivity("stuck", () => "x", { compensation: undoStuck });
    const child = defineWorkflow("child", async (ctx) => {
      await step(ctx, "a");
      return stuck(ctx);
    });
    const parent = defineWorkflow("parent", async (ctx) => {
      await step(ctx, "b");
      await child(ctx);
      throw new Error("no");
    });
    const app = await startApp({ workflows: [parent, child] });
    const handle = await parent.start(app);
    expect((await failureOf(handle.result())).compensationErrors).toHaveLength(1);
    await app.retryCompensations(handle.id);
    expect((await failureOf(handle.result())).compensationErrors).toHaveLength(1);
    isBroken = false;
    await app.retryCompensations(handle.id);
    expect((await failureOf(handle.result())).compensationErrors).toEqual([]);
    expect(trail).toEqual(["do b", "do a", "undo a", "undo b", "undo stuck"]);
    const [id = ""] = await ids(app, "child");
    expect(await app.getInstance(id)).toMatchObject({ status: "cancelled", compensationErrors: [] });
  });
});

describe("children of code that is at its end", () => {
  const asleep = defineWorkflow("asleep", async (ctx) => {
    await ctx.sleep("1h");
  });
  const tick = defineActivity("tick", () => 1);

  it("are not started again by a replay that comes to that end", async () => {
    const parent = defineWorkflow("parent", async (ctx) => {
      void asleep.with({ detached: true })(ctx);
      await tick(ctx);
      await ctx.sleep(1);
      throw new TypeError("a bug");
    });
    const app = await startApp({ workflows: [parent, asleep] });
    const handle = await parent.start(app);
    for (let retries = 0; retries < 3; retries++) {
      await failureOf(handle.result());
      await app.retry(handle.id);
    }
    await failureOf(handle.result());
    expect(await ids(app, "asleep")).toHaveLength(1);
  });

  it.each([0, 1_000])("do not keep it from being undone (%i parked)", async (maxParkedInstances) => {
    let isFirst = true;
    const book = defineActivity("book", () => "x", {
      compensation: defineCompensation(
        "cancel_booking",
        () => {
          const wasFirst = isFirst;
          isFirst = false;
          if (wasFirst) throw new Error("later");
        },
        { retry: { initialInterval: 5_000, maxInterval: 5_000, jitter: 0 } },
      ),
    });
    const parent = defineWorkflow("parent", async (ctx) => {
      const children = [asleep(ctx), asleep(ctx)];
      await ctx.sleep(1);
      await book(ctx);
      await tick(ctx);
      throw new Error(`no use for ${children.length}`);
    });
    const app = await startApp({ workflows: [parent, asleep], maxParkedInstances });
    const handle = await parent.start(app);
    await until(async () => (await handle.describe()).waitingFor.some(({ kind }) => kind === "retry"));
    await app.shutdown();
    const next = await startApp({ workflows: [parent, asleep], maxParkedInstances });
    const again = next.handle(parent, handle.id);
    // Only what its rollback waits for, and not the children's ends.
    expect((await again.describe()).waitingFor.map(({ kind }) => kind)).toEqual(["retry"]);
    expect(await failureOf(again.result())).toMatchObject({
      compensationErrors: [],
      cause: { message: "no use for 2" },
    });
    const children = (await next.listInstances({ workflow: "asleep" })).instances;
    expect(children.map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
  });
});

describe("a parent that is cancelled", () => {
  it("takes its children along, and theirs", async () => {
    const middle = defineWorkflow("middle", async (ctx) => {
      await step(ctx, "middle");
      return waits(ctx, "inner");
    });
    const parent = defineWorkflow("parent", async (ctx) => {
      await step(ctx, "outer");
      return middle(ctx);
    });
    const app = await startApp({ workflows: [parent, middle, waits] });
    const handle = await parent.start(app);
    await until(() => trail.length === 3);
    await handle.cancel("enough");
    expect((await failureOf(handle.result())).cause).toMatchObject({ name: "CancelledError", reason: "enough" });
    expect(trail.slice(3)).toEqual(["undo inner", "undo middle", "undo outer"]);
    for (const workflow of ["parent", "middle", "waits"]) {
      const [id] = await ids(app, workflow);
      expect(await app.getInstance(String(id))).toMatchObject({ status: "cancelled" });
    }
  });
});
