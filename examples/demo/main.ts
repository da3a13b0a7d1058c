/**
 * `npm run demo [-- orders-file]`: runs orders in a worker process, kills it in the middle with SIGKILL, starts it again, and
 * checks that nothing was lost and that nothing recorded was done twice.
 *
 * Exit code 0 when that is so, 1 when it is not, 2 when there are no orders to run.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readEffects } from "./effects.ts";
import type { Order } from "./order.ts";
import { OrdersFileError, readOrders } from "./orders.ts";
import { Progress } from "./progress.ts";
import { createStock, readRecord, readStock } from "./record.ts";
import { cutOffIn, describeChecks, describeFiles, describeRecord, describeResults } from "./report.ts";
import { Timeline } from "./timeline.ts";
import { type Facts, recordedIn, verify } from "./verify.ts";
import { runWorker, type WorkerFiles } from "./worker-process.ts";

const USAGE = "Usage: npm run demo [-- orders-file]   (a JSON array of orders, or one order per line)";

async function main(args: readonly string[]): Promise<number> {
  if (args.length > 1 || args[0]?.startsWith("-")) return refuse(USAGE);
  const path = ordersPath(args[0]);
  const hint = args.length === 0 ? "   (your own: npm run demo -- my-orders.json)" : "";
  try {
    const { orders, refusals } = readOrders(path);
    print(`${orders.length} orders from ${path}${hint}`, ...refusals.map((refusal) => `  refused: ${refusal}`), "");
    return await demonstrate(orders);
  } catch (error) {
    if (error instanceof OrdersFileError) return refuse(error.message);
    throw error;
  }
}

/** npm changes into the package's folder, and says where the user was. */
function ordersPath(given: string | undefined): string {
  if (given === undefined) return fileURLToPath(new URL("../orders.json", import.meta.url));
  return resolve(process.env["INIT_CWD"] ?? process.cwd(), given);
}

async function demonstrate(orders: readonly Order[]): Promise<number> {
  const files = prepareFiles(orders);
  const checks = verify(await runTwice(orders, files));
  print(...describeChecks(checks), ...describeFiles(files.database, files.effects));
  return checks.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

function prepareFiles(orders: readonly Order[]): WorkerFiles {
  const folder = mkdtempSync(join(tmpdir(), "romancy-demo-"));
  const files = {
    database: join(folder, "demo.db"),
    effects: join(folder, "effects.jsonl"),
    orders: join(folder, "orders.json"),
  };
  writeFileSync(files.orders, JSON.stringify(orders));
  writeFileSync(files.effects, "");
  createStock(files.database, orders);
  return files;
}

/** The worker, its death, and the worker again. */
async function runTwice(orders: readonly Order[], files: WorkerFiles): Promise<Facts> {
  const progress = new Progress(orders.length);
  const idWidth = Math.max(...orders.map(({ id }) => id.length));
  const timeline = new Timeline({ progress, idWidth, write: print, now: () => performance.now() });

  const first = await runWorker(files, 1, (event, worker) => {
    if (progress.note(event)) timeline.event(event);
    if (progress.isInTheMiddle) worker.kill();
  });
  timeline.loud(`${first.by}: the worker, process ${first.pid}, is gone in the middle of its work`);

  const before = await readRecord(files.database);
  const cutOff = cutOffIn(readEffects(files.effects), before);
  print(...describeRecord(orders, before, cutOff));
  progress.restart(recordedIn(before));
  timeline.restart(cutOff);

  timeline.note("the worker is started again; [n/m] counts activities, beginning with the recorded ones");
  const second = await runWorker(files, 2, (event) => {
    if (progress.note(event)) timeline.event(event);
  });
  timeline.note(`the worker (process ${second.pid}) has ended by ${second.by}`);

  const after = await readRecord(files.database);
  print("", ...describeResults(orders, after));
  const executions = readEffects(files.effects);
  const stock = readStock(files.database);
  return { orders, firstEnd: first.by, secondEnd: second.by, before, after, executions, stock };
}

function print(...lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}

function refuse(message: string): number {
  console.error(message);
  return 2;
}

process.exitCode = await main(process.argv.slice(2));
