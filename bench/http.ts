/** CloudEvents by POST: as many as 64 connections can send, each durable and taken by a workflow that waits for it. */
import { Agent, request } from "node:http";
import type { AddressInfo } from "node:net";
import { defineWorkflow, Romancy } from "romancy";
import { database, drive, type Figure, figure, logger, percentile, quick, report } from "./harness.ts";

const CONNECTIONS = 64;
const EACH = quick ? 20 : 200;

const receiver = defineWorkflow(
  "receiver",
  async (ctx, key: string) => {
    for (let n = 0; n < EACH; n++) await ctx.waitEvent("tick", { key });
  },
  { events: [{ type: "tick", key: (key: string) => key }] },
);

/** Sends and hears one; its milliseconds. */
function post(port: number, agent: Agent, n: number): Promise<number> {
  const subject = String(n % CONNECTIONS);
  const body = JSON.stringify({
    specversion: "1.0",
    id: String(n),
    source: "/bench",
    type: "tick",
    subject,
    data: { n },
  });
  const headers = { "content-type": "application/cloudevents+json", "content-length": Buffer.byteLength(body) };
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const sender = request({ port, host: "127.0.0.1", method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode === 202) resolve(performance.now() - begun);
        else reject(new Error(`The answer was ${response.statusCode}.`));
      });
    });
    sender.on("error", reject);
    sender.end(body);
  });
}

async function measure(connections: number, count: number): Promise<Figure[]> {
  const { url, drop } = await database("http");
  const app = new Romancy({ database: url, workflows: [receiver], logger });
  await app.start();
  const keys = Array.from({ length: connections }, (_, n) => String(n));
  const handles = await Promise.all(keys.map((key) => receiver.start(app, key)));
  const { port } = (await app.listen(0)).address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  // Connecting, and compiling, takes a while.
  await drive(count / 4, connections, (n) => post(port, agent, n));
  const begun = performance.now();
  await drive((count * 3) / 4, connections, async (n) => times.push(await post(port, agent, count / 4 + n)));
  const seconds = (performance.now() - begun) / 1_000;
  await Promise.all(handles.map((handle) => handle.result()));
  agent.destroy();
  await app.shutdown();
  await drop();
  const at = `at ${connections} connections`;
  return [
    figure(`events by POST ${at}`, times.length / seconds, "events/s"),
    figure(`POST to 202 ${at}, p50`, percentile(times, 0.5), "ms"),
    figure(`POST to 202 ${at}, p99`, percentile(times, 0.99), "ms"),
  ];
}

report(await measure(CONNECTIONS, CONNECTIONS * EACH));
