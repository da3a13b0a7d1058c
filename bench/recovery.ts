/**
 * A worker ends in the middle of a workflow, by SIGKILL, by SIGSTOP or in order: how long until the workflow goes on, with
 * default settings and 1,000 activities to replay. It goes on in a worker that was there before, or in a new one.
 */
import { setTimeout as wait } from "node:timers/promises";
import { defineActivity, defineWorkflow, Romancy } from "romancy";
import { step } from "./flows.ts";
import { database, type Figure, figure, kind, logger, quick, report, type Target } from "./harness.ts";
import { argument, Child, now, onAsked, role, tell } from "./processes.ts";

/** Milliseconds after its start until a worker judges others by their locks, and has come to rest. */
const SETTLED = 3_000;

const TIMES = quick ? 1 : 3;

let isLive = false;
const tick = defineActivity("tick", async () => {
  if (!isLive) tell("live");
  isLive = true;
  await wait(10);
});
const flow = defineWorkflow("flow", async (ctx) => {
  for (let n = 0; n < 1_000; n++) await step(ctx, n);
  for (;;) await tick(ctx);
});

async function work(url: string): Promise<void> {
  const app = new Romancy({ database: url, workflows: [flow], logger });
  onAsked({
    start: () => flow.start(app),
    async shutdown() {
      tell("shutting down");
      await app.shutdown();
    },
  });
  tell("booted");
  await app.start();
  tell("ready");
}

async function measure(): Promise<Figure[]> {
  const { url, drop } = await database();
  const chain = new Chain(url);
  const figures: Figure[] = [];
  const add = (what: string, times: readonly number[], target: Target): void => {
    figures.push(
      figure(times.length > 1 ? `${what}, worst of ${times.length}` : what, Math.max(...times), "ms", target),
    );
  };
  const kill = async (worker: Child): Promise<number> => {
    const at = now();
    await worker.end();
    return at;
  };
  await chain.begin();
  add("SIGKILL, another process on this host goes on", await repeat(() => chain.next(kill, SETTLED)), { below: 3_000 });
  if (kind !== "sqlite") {
    const elsewhere = (): Promise<number> => chain.next(kill, SETTLED, true);
    add("SIGKILL, a process on another host goes on", await repeat(elsewhere), { below: 3_000 });
    const stop = async (worker: Child): Promise<number> => {
      worker.signal("SIGSTOP");
      return now();
    };
    add("SIGSTOP, a process on another host goes on", [await chain.next(stop, SETTLED, true)], { below: 20_000 });
  }
  const shutdown = async (worker: Child): Promise<number> => {
    worker.ask("shutdown");
    return worker.heard("shutting down");
  };
  add("shutdown(), another process goes on", await repeat(() => chain.next(shutdown, SETTLED)), { below: 1_000 });
  add("SIGKILL, a new process goes on, from its start()", await repeat(() => chain.restart()), { below: 1_000 });
  await chain.end();
  await drop();
  return figures;
}

async function repeat(once: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < TIMES; n++) times.push(await once());
  return times;
}

/** Workers of which one runs the workflow, each followed by the next. */
class Chain {
  readonly #url: string;
  #current: Child | undefined;
  /** The host of the current one, if not this one. */
  #host: string | undefined;
  #hosts = 0;

  constructor(url: string) {
    this.#url = url;
  }

  async begin(): Promise<void> {
    this.#current = await this.#start();
    this.#current.ask("start");
    await this.#current.heard("live");
  }

  /**
   * Starts the next worker, ends the one that runs the workflow, and gives the milliseconds until the next goes on.
   *
   * @param stop gives when it happened
   * @param settled milliseconds between the next one's start and the end
   */
  async next(stop: (worker: Child) => Promise<number>, settled: number, isElsewhere = false): Promise<number> {
    const last = this.#need();
    if (isElsewhere) this.#host = `host-${++this.#hosts}`;
    this.#current = await this.#start();
    // So that each time is another moment between two looks at the workers.
    await wait(settled + Math.random() * 1_000);
    const at = await stop(last);
    const live = await this.#current.heard("live");
    await last.end();
    return live - at;
  }

  /** Kills the worker, and starts another on its host. */
  async restart(): Promise<number> {
    await this.#need().end();
    this.#current = await this.#start();
    return (await this.#current.heard("live")) - (await this.#current.heard("booted"));
  }

  async end(): Promise<void> {
    await this.#need().end();
  }

  async #start(): Promise<Child> {
    const child = Child.start(import.meta.filename, ["worker", this.#url], this.#host);
    await child.heard("ready");
    return child;
  }

  #need(): Child {
    if (this.#current) return this.#current;
    throw new Error("No worker runs the workflow yet.");
  }
}

if (role === "parent") report(await measure());
else await work(argument);
