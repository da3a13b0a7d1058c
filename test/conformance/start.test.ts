import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  defineActivity,
  defineWorkflow,
  InstanceConflictError,
  ResultTimeoutError,
  SerializationError,
  ValidationError,
  WorkflowNotRegisteredError,
} from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";
import { countCommits } from "../support/counts.ts";
import { jsonText } from "../support/sql.ts";
import { gate, until } from "../support/wait.ts";

describe("start", () => {
  const echo = defineWorkflow("echo", (_, value: unknown) => value);

  it("makes a UUID of version 7 unless an id is given", async () => {
    const app = await startApp({ workflows: [echo] });
    const handle = await echo.start(app, 1);
    expect(handle.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect((await echo.with({ id: "mine" }).start(app, 1)).id).toBe("mine");
  });

  it("starts an id once, when workflow and input are equal", async () => {
    let runs = 0;
    const count = defineWorkflow("count", (_, input: { a: number; b: number }) => {
      runs++;
      return input.a + input.b;
    });
    const app = await startApp({ workflows: [count, echo] });
    const twice = await Promise.all([
      count.with({ id: "one" }).start(app, { a: 1, b: 2 }),
      count.with({ id: "one" }).start(app, { b: 2, a: 1 }),
    ]);
    expect(await Promise.all(twice.map((handle) => handle.result()))).toEqual([3, 3]);
    expect(runs).toBe(1);
    await expect(count.with({ id: "one" }).start(app, { a: 1, b: 3 })).rejects.toThrow(InstanceConflictError);
    await expect(echo.with({ id: "one" }).start(app, { a: 1, b: 2 })).rejects.toThrow(InstanceConflictError);
  });

  it("stores nothing when the input is not valid", async () => {
    const typed = defineWorkflow("typed", (_, name: string, age: number) => `${name} ${age}`, {
      input: [z.string(), z.number().int()],
    });
    const single = defineWorkflow("single", (_, order: { id: string }) => order.id, {
      input: z.object({ id: z.string().min(3) }),
    });
    const app = await startApp({ workflows: [typed, single, echo] });
    const failure: unknown = await typed.start(app, "Ada", 1.5).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ValidationError);
    expect((failure as ValidationError).issues).toHaveLength(1);
    await expect(single.start(app, { id: "x" })).rejects.toThrow("id: ");
    await expect(echo.start(app, { fn: () => 1 })).rejects.toThrow(SerializationError);
    await expect(echo.with({ priority: -1 }).start(app, 1)).rejects.toThrow("priority");
    await expect(echo.with({ tags: { a: 1 as unknown as string } }).start(app, 1)).rejects.toThrow("tags");
    await expect(echo.with({ id: "x".repeat(201) }).start(app, 1)).rejects.toThrow(ValidationError);
    expect((await app.listInstances()).instances).toEqual([]);
    expect(await (await typed.start(app, "Ada", 36)).result()).toBe("Ada 36");
  });

  it.each(["a\0b", "half\ud800", "", "x".repeat(201)])(
    "refuses the id %j, which not every database can keep",
    async (id) => {
      const flow = defineWorkflow("flow", () => 1);
      const app = await startApp({ workflows: [flow] });
      await expect(flow.with({ id }).start(app)).rejects.toThrow(ValidationError);
    },
  );

  it("keeps input of plain JSON as plain JSON in the database", async () => {
    const app = await startApp({ workflows: [echo] });
    const { id, result } = await echo.start(app, { customer: { name: "Ada" } });
    await result();
    const name = jsonText("input", 0, "customer", "name");
    const rows = await testDatabase().rows(`select ${name} as name from romancy_instances where id = ?`, [id]);
    expect(rows).toEqual([{ name: "Ada" }]);
  });

  it("refuses a workflow that the worker does not know; a client may start it", async () => {
    const worker = await startApp({ workflows: [] });
    const client = await startApp({ worker: false });
    await expect(echo.start(worker, 1)).rejects.toThrow(WorkflowNotRegisteredError);
    const handle = await echo.start(client, 1);
    expect(await handle.status()).toBe("pending");
    worker.register(echo);
    expect(await handle.result()).toBe(1);
    const twin = defineWorkflow(echo.name, () => "another");
    await expect(twin.start(worker)).rejects.toThrow("Another definition of workflow echo is registered");
  });

  it("fails the instance when what it returns is not valid or cannot be stored", async () => {
    const wrong = defineWorkflow("wrong", () => "text" as unknown as number, { output: z.number() });
    const unstorable = defineWorkflow("unstorable", () => ({ fn: () => 1 }) as unknown);
    const app = await startApp({ workflows: [wrong, unstorable] });
    await expect((await wrong.start(app)).result()).rejects.toThrow("The result of workflow wrong is not valid");
    await expect((await unstorable.start(app)).result()).rejects.toThrow("The result of workflow unstorable");
  });

  it("lets a caller give up waiting while the instance goes on", async () => {
    const held = gate();
    const hold = defineActivity("hold", () => held.opened);
    const flow = defineWorkflow("flow", async (ctx) => {
      await hold(ctx);
      return "done";
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await expect(handle.result({ timeout: 10 })).rejects.toThrow(ResultTimeoutError);
    held.open();
    expect(await handle.result({ timeout: "20s" })).toBe("done");
  });

  it("takes instances of higher priority first when work has piled up", async () => {
    const order: string[] = [];
    const note = defineWorkflow("note", (_, name: string) => void order.push(name));
    const client = await startApp({ worker: false });
    for (const [name, priority] of [
      ["low", 0],
      ["high", 60],
      ["middle", 30],
    ] as const) {
      await note.with({ priority }).start(client, name);
    }
    await startApp({ workflows: [note], maxConcurrentInstances: 1 });
    await until(() => order.length === 3);
    expect(order).toEqual(["high", "middle", "low"]);
  });
});

describe("the cost in commits", () => {
  it("is one for the start, one for each activity, the last one shared with the completion", async () => {
    const step = defineActivity("step", (_, n: number) => n);
    const flow = defineWorkflow("flow", async (ctx, steps: number) => {
      for (let n = 0; n < steps; n++) await step(ctx, n);
    });
    const app = await startApp({ workflows: [flow] });
    for (const steps of [0, 1, 2, 5]) {
      const commits = await countCommits(async () => {
        await (await flow.start(app, steps)).result();
      });
      expect(commits).toBe(1 + Math.max(steps, 1));
    }
  });

  it("is shared by all that happens together", async () => {
    const step = defineActivity("step", () => {});
    const flow = defineWorkflow("flow", async (ctx) => {
      await Promise.all(Array.from({ length: 10 }, () => step(ctx)));
      await step(ctx);
    });
    const app = await startApp({ workflows: [flow] });
    const commits = await countCommits(async () => {
      const handles = await Promise.all(Array.from({ length: 20 }, () => flow.start(app)));
      await Promise.all(handles.map((handle) => handle.result()));
    });
    // Three where the machine is quiet: turns that take long are not waited for. Each by itself would be hundreds.
    expect(commits).toBeGreaterThanOrEqual(3);
    expect(commits).toBeLessThanOrEqual(20);
  });
});
