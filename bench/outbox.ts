/** Events to a broker by HTTP, which answers at once: how many, and how long after their commit. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { defineActivity, defineWorkflow, Romancy } from "romancy";
import { database, drive, type Figure, figure, logger, percentile, quick, report } from "./harness.ts";

const EVENTS = quick ? 1_000 : 20_000;
const EACH = 1;
const ALONE = quick ? 50 : 300;

/** Epoch milliseconds, with fractions, at which the event of an id has come in. */
const taken = new Map<string, number>();
let onTaken: () => void = () => {};

const sink = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    taken.set(String(request.headers["ce-id"]), performance.now());
    response.writeHead(204).end();
    onTaken();
  });
});
sink.listen(0, "127.0.0.1");
await once(sink, "listening");
const brokerUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;

const tell = defineActivity("tell", async (ctx) => {
  for (let n = 0; n < EACH; n++) await ctx.sendEvent({ type: "told", data: { n } });
});
const teller = defineWorkflow("teller", (ctx) => tell(ctx));
const one = defineWorkflow("one", async (ctx) => {
  await ctx.sendEvent({ type: "told", data: { n: 1 } });
  return performance.now();
});

async function running<T>(name: string, body: (app: Romancy) => Promise<T>): Promise<T> {
  const { url, drop } = await database(name);
  const app = new Romancy({ database: url, workflows: [teller, one], logger, outbox: { brokerUrl } });
  await app.start();
  taken.clear();
  try {
    return await body(app);
  } finally {
    await app.shutdown();
    await drop();
  }
}

/** Resolves when so many events have come in. */
function taking(count: number): Promise<void> {
  return new Promise((resolve) => {
    onTaken = () => {
      if (taken.size >= count) resolve();
    };
    onTaken();
  });
}

/** From the first start to the last event, commits and all. */
async function throughput(): Promise<Figure[]> {
  return running("outbox", async (app) => {
    const begun = performance.now();
    const all = taking(EVENTS);
    await drive(EVENTS / EACH, 256, async () => void (await teller.start(app)));
    await all;
    return [figure("events written and relayed by HTTP", EVENTS / ((performance.now() - begun) / 1_000), "events/s")];
  });
}

/** From the commit, of which the workflow hears, to the broker; one event at a time. */
async function latency(): Promise<Figure[]> {
  return running("outbox", async (app) => {
    const times: number[] = [];
    for (let n = 0; n < ALONE; n++) {
      const id = `one-${n}`;
      const arrived = taking(n + 1);
      const committed = await (await one.with({ id }).start(app)).result();
      await arrived;
      times.push(Math.max(0, (taken.get(`${id}/send_event:1`) ?? Infinity) - committed));
    }
    return [
      figure("commit to delivery, p50", percentile(times, 0.5), "ms", { below: 10 }),
      figure("commit to delivery, p99", percentile(times, 0.99), "ms"),
    ];
  });
}

report([...(await throughput()), ...(await latency())]);
sink.closeAllConnections();
sink.close();
