/** What leads to the database is killed while activities run, and comes back. */
import { expect } from "vitest";
import { defineActivity, defineWorkflow, Romancy } from "../../src/index.ts";
import { recordingLogger } from "../support/apps.ts";
import type { TestServer } from "../support/servers/server.ts";
import { until } from "../support/wait.ts";

/**
 * Nothing begins meanwhile, and all ends once.
 *
 * @param server what is killed
 * @param database what it leads to
 */
export async function killedUnderLoad(server: TestServer, database: string): Promise<void> {
  const running = new Map<string, number>();
  let starts = 0;
  const step = defineActivity("step", async (ctx, n: number) => {
    starts++;
    running.set(`${ctx.instanceId} ${n}`, (running.get(`${ctx.instanceId} ${n}`) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    return n;
  });
  const flow = defineWorkflow("flow", async (ctx) => {
    let sum = 0;
    for (let n = 0; n < 30; n++) sum += await step(ctx, n);
    return sum;
  });
  const logger = recordingLogger();
  const app = new Romancy({ database, workflows: [flow], logger });
  await app.start();
  try {
    const handles = await Promise.all(Array.from({ length: 50 }, () => flow.start(app)));
    const results = Promise.all(handles.map((handle) => handle.result()));
    for (const share of [0.2, 0.5, 0.8]) {
      await until(() => starts > share * 50 * 30);
      const told = logger.lines.length;
      await server.kill();
      await until(() => logger.lines.length > told);
      // What was running may end; nothing new begins.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const before = starts;
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(starts).toBe(before);
      await server.restart();
    }
    expect(await results).toEqual(handles.map(() => 435));
    // The process lived, so each activity was executed once, whatever became of the commits.
    expect([...running.values()].filter((n) => n !== 1)).toEqual([]);
  } finally {
    await app.shutdown();
  }
}
