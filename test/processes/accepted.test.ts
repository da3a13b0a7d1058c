/** What was accepted over HTTP outlives the process that accepted it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { startApp, testDatabase } from "../support/apps.ts";
import { event, STRUCTURED, sendTo } from "../support/http.ts";
import { collector } from "./fixtures/collector.ts";

const SENDERS = 8;
const ENOUGH = 60;

const program = fileURLToPath(new URL("fixtures/http-worker.ts", import.meta.url));

it("loses nothing when it is killed right after a 202", { timeout: 60_000 }, async () => {
  const client = await startApp({ worker: false });
  const handle = await collector.start(client);
  const child = fork(program, [testDatabase().url], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  const [port] = (await once(child, "message")) as [number];
  const exit = once(child, "exit");
  const accepted: string[] = [];
  const send = async (sender: number): Promise<void> => {
    for (let n = 0; ; n++) {
      const id = `${sender}-${n}`;
      const body = JSON.stringify({ ...event, id, source: `/sender/${sender}` });
      const { status } = await sendTo(`http://127.0.0.1:${port}/`, { headers: { "content-type": STRUCTURED }, body });
      if (status !== 202) throw new Error(`The answer was ${status}.`);
      accepted.push(id);
      if (accepted.length === ENOUGH) child.kill("SIGKILL");
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: SENDERS }, (_, sender) => send(sender)));
  await exit;
  // Each sender was cut off by the death, not by an answer.
  for (const end of ends) expect((end as PromiseRejectedResult).reason).toHaveProperty("code");

  const app = await startApp({ workflows: [collector] });
  await app.sendEvent({ type: "paid", source: "/end", id: "end", data: "last" });
  const taken = await app.handle(collector, handle.id).result();
  expect(taken).toEqual(expect.arrayContaining(accepted));
  expect(new Set(taken).size).toBe(taken.length);
});
