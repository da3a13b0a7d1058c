/**
 * Two worker processes on one PostgreSQL or MySQL; one of them is killed in the middle of its work, and the other goes on.
 *
 *     npm run build
 *     node examples/several-workers.ts postgres://user:password@localhost/app
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { defineActivity, defineWorkflow, Romancy } from "romancy";

const [database, role] = process.argv.slice(2);
if (database === undefined) throw new Error("Say which database: node examples/several-workers.ts postgres://...");

const pick = defineActivity("pick", async (_ctx, order: number) => {
  await wait(20);
  return { order, by: process.pid };
});

const pack = defineActivity("pack", async (_ctx, order: number) => {
  await wait(20);
  return { order, by: process.pid };
});

const ship = defineWorkflow("ship", async (ctx, order: number) => {
  const picked = await pick(ctx, order);
  await ctx.sleep("200ms");
  const packed = await pack(ctx, order);
  return [picked.by, packed.by];
});

if (role === "worker") await work(database);
else await direct(database);

/** A worker: it runs whatever is due, as much as it has room for, until it is told to stop. */
async function work(url: string): Promise<void> {
  const app = new Romancy({ database: url, workflows: [ship], maxConcurrentInstances: 10 });
  await app.start();
  process.send?.("ready");
  await once(process, "message");
  await app.shutdown();
  process.disconnect();
}

/** A client: it starts instances and waits for them, and executes nothing. */
async function direct(url: string): Promise<void> {
  const client = new Romancy({ database: url, worker: false });
  await client.start();
  const workers = [startWorker(url), startWorker(url)];
  await Promise.all(workers.map((worker) => once(worker, "message")));

  const handles = await Promise.all(Array.from({ length: 40 }, (_, order) => ship.start(client, order)));
  await Promise.race(handles.map((handle) => handle.result()));
  const [victim, survivor] = workers;
  victim?.kill("SIGKILL");
  console.log(`Worker ${victim?.pid} was killed. Worker ${survivor?.pid} goes on.`);

  const results = await Promise.all(handles.map((handle) => handle.result()));
  const shared = results.filter(([picked, packed]) => picked !== packed).length;
  console.log(
    `${results.length} of ${handles.length} orders were shipped; ${shared} were picked by one and packed by the other.`,
  );
  survivor?.send("stop");
  await client.shutdown();
}

function startWorker(url: string): ChildProcess {
  return fork(new URL(import.meta.url), [url, "worker"]);
}
