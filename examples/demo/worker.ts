/** The process that is killed: starts the orders, which starts nothing twice, and runs them. Tells its parent how it goes. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Logger, Romancy } from "../../src/index.ts";
import { Effects } from "./effects.ts";
import type { ProgressEvent } from "./events.ts";
import type { Order } from "./order.ts";
import { defineOrderWorkflow } from "./workflow.ts";

const [database = "", effectsFile = "", ordersFile = "", run = ""] = process.argv.slice(2);

function tell(event: ProgressEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Lines of the workflow and its activities are events; what has none is Romancy's own. */
function info(message: string, data?: Readonly<Record<string, unknown>>): void {
  if (data && "event" in data) tell(data as unknown as ProgressEvent);
  else tell({ event: "log", message });
}

/** There should be none; if there is one, it explains what comes of it. */
function complain(message: string, data?: Readonly<Record<string, unknown>>): void {
  tell({ event: "log", message, data });
}
const logger: Logger = { debug: () => {}, info, warn: complain, error: complain };

const orders = JSON.parse(readFileSync(ordersFile, "utf8")) as readonly Order[];
// They come in one after another, so that they are in every stage when the worker is killed. The next life of the
// worker is given all of them at once, also those that it has: they are not started again.
const interval = run === "1" ? Math.min(100, 1_200 / orders.length) : 0;
const workflow = defineOrderWorkflow(new Effects(effectsFile, Number(run)));
const app = new Romancy({ database, workflows: [workflow], logger });
await app.start();
tell({ event: "ready" });

await Promise.all(
  orders.map(async (order, index) => {
    await delay(index * interval);
    const handle = await workflow.with({ id: order.id, tags: { customer: order.customer } }).start(app, order);
    // Only for the timeline: the parent reads every result, and why an order failed, in the database.
    const outcome = await handle.result().then(
      (result) => result.outcome,
      () => "failed",
    );
    tell({ event: "finished", instanceId: order.id, outcome });
  }),
);
await app.shutdown();
