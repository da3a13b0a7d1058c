/** Events, broadcast and competing channels inside one process; `http.ts` has events that come from outside. */
import { defineWorkflow, Romancy } from "romancy";
import { database, drive, type Figure, figure, logger, percentile, quick, report } from "./harness.ts";

const SLEEPING = quick ? 500 : 10_000;
const EVENTS = quick ? 50 : 300;
const LISTENERS = quick ? 100 : 1_000;
const CONSUMERS = 16;
const JOBS = quick ? 320 : 3_200;
const PUBLISHERS = 64;

const resumed = new Map<string, () => void>();

const waiter = defineWorkflow("waiter", async (ctx, key: string) => {
  await ctx.waitEvent("paid", { key });
  resumed.get(key)?.();
});

const listener = defineWorkflow("listener", async (ctx) => {
  await ctx.subscribe("news", "broadcast");
  await ctx.receive("news");
});

const consumer = defineWorkflow("consumer", async (ctx, count: number) => {
  await ctx.subscribe("jobs", "competing");
  for (let n = 0; n < count; n++) await ctx.receive("jobs");
});

async function started(name: string): Promise<{ app: Romancy; stop: () => Promise<void> }> {
  const { url, drop } = await database(name);
  const app = new Romancy({ database: url, workflows: [waiter, listener, consumer], logger });
  await app.start();
  return {
    app,
    async stop() {
      await app.shutdown();
      await drop();
    },
  };
}

/** Resolves when so many instances of the workflow wait. */
async function waiting(app: Romancy, workflow: string, count: number): Promise<void> {
  for (;;) {
    let found = 0;
    let pageToken: string | undefined;
    do {
      const page = await app.listInstances({
        workflow,
        status: "waiting",
        limit: 1_000,
        ...(pageToken !== undefined && { pageToken }),
      });
      found += page.instances.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    if (found >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const idOf = (key: string): string => `waiter of ${key}`;

/** From an event's sending to the workflow's going on, one at a time, beside others that wait. */
async function eventToResumed(): Promise<Figure[]> {
  const { app, stop } = await started("event");
  await drive(SLEEPING, 256, (n) => waiter.with({ id: idOf(`key-${n}`) }).start(app, `key-${n}`));
  await waiting(app, "waiter", SLEEPING);
  const times: number[] = [];
  for (let n = 0; n < EVENTS; n++) {
    const key = `key-${n * Math.floor(SLEEPING / EVENTS)}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    resumed.set(key, resolve);
    const begun = performance.now();
    await Promise.all([promise, app.sendEvent({ type: "paid", source: "bench", subject: key })]);
    times.push(performance.now() - begun);
    // The next one does not wait for this one's last commit.
    await app.handle(waiter, idOf(key)).result();
  }
  await stop();
  const beside = `with ${SLEEPING.toLocaleString("en")} waiting`;
  return [
    figure(`event sent to workflow resumed, ${beside}, p50`, percentile(times, 0.5), "ms", { below: 5 }),
    figure(`event sent to workflow resumed, ${beside}, p99`, percentile(times, 0.99), "ms"),
  ];
}

/** From one publishing to the end of all that heard it. */
async function broadcast(): Promise<Figure[]> {
  const { app, stop } = await started("broadcast");
  const handles = await Promise.all(Array.from({ length: LISTENERS }, () => listener.start(app)));
  await waiting(app, "listener", LISTENERS);
  const begun = performance.now();
  await app.publish("news", { n: 1 });
  const published = performance.now() - begun;
  await Promise.all(handles.map((handle) => handle.result()));
  const all = performance.now() - begun;
  await stop();
  return [
    figure(`a broadcast to ${LISTENERS} subscribers is durable after`, published, "ms"),
    figure(`all ${LISTENERS} have ended after`, all, "ms"),
  ];
}

/** Messages that are published and taken, each once. */
async function competing(): Promise<Figure[]> {
  const { app, stop } = await started("competing");
  const handles = await Promise.all(Array.from({ length: CONSUMERS }, () => consumer.start(app, JOBS / CONSUMERS)));
  await waiting(app, "consumer", CONSUMERS);
  const begun = performance.now();
  await drive(JOBS, PUBLISHERS, (n) => app.publish("jobs", n));
  await Promise.all(handles.map((handle) => handle.result()));
  const seconds = (performance.now() - begun) / 1_000;
  await stop();
  return [figure(`competing channel, ${CONSUMERS} consumers`, JOBS / seconds, "messages/s")];
}

report([...(await eventToResumed()), ...(await broadcast()), ...(await competing())]);
