/** Several processes on one file. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  createPayments,
  effects,
  entries,
  executions,
  history,
  inDatabase,
  launch,
  launched,
  payments,
} from "./child.ts";

beforeEach(() => createPayments());

/** Who executed what of the instance, in order. */
function trail(instance: string): string[] {
  return effects()
    .filter((effect) => effect.instance === instance)
    .map(({ operation, label }) => `${operation} ${label}`);
}

describe("workers on one file", () => {
  it("take over from one that is killed in mid-run", async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `job-${n}`);
    const [a, b] = await Promise.all([
      launched("workers", { label: "a", mode: "hang" }),
      launched("workers", { label: "b" }),
    ]);
    for (const id of ids) a.start("job", id);
    await Promise.all(ids.map((id) => a.line(`holding ${id}`)));
    const results = ids.map((id) => b.result("job", id));
    await a.kill();
    expect(await Promise.all(results)).toEqual(ids.map(() => ["a", "b", "b"]));
    for (const id of ids) {
      expect(trail(id)).toEqual(["before:1 a", "middle:1 a", "middle:1 b", "after:1 b"]);
    }
    expect(payments()).toHaveLength(ids.length);
    await b.shutdown();
  });

  it("execute what a client starts, and the client hears of the results", async () => {
    const ids = Array.from({ length: 20 }, (_, n) => `job-${n}`);
    const [client, worker] = await Promise.all([
      launched("workers", { label: "client", options: { worker: false } }),
      launched("workers", { label: "worker" }),
    ]);
    const results = await Promise.all(ids.map((id) => client.result("job", id)));
    expect(results).toEqual(ids.map(() => ["worker", "worker", "worker"]));
    // Also what ended before it was asked for.
    const late = await launched("workers", { options: { worker: false } });
    expect(await late.result("job", "job-0")).toEqual(["worker", "worker", "worker"]);
    expect(executions("job-0")).toEqual({ "before:1": 1, "middle:1": 1, "after:1": 1 });
    await Promise.all([client.shutdown(), late.shutdown(), worker.shutdown()]);
  });

  it.each([
    ["the body goes on before the worker knows", "stop"],
    ["the worker knows before the body goes on", "stop, then wait"],
  ])("fence off one that was stopped until its lease ran out: %s", async (_, mode) => {
    const a = await launched("workers", { label: "a", mode, options: { leaseDuration: "600ms" } });
    const resultInA = a.result("job", "lost");
    await a.line("stopping lost");
    const b = await launched("workers", { label: "b" });
    expect(await b.result("job", "lost")).toEqual(["a", "b", "b"]);
    const before = await history("lost");
    await b.shutdown();

    a.wakeUp();
    if (mode === "stop, then wait") {
      await a.line("aborted lost");
      a.tell("go");
    }
    // In the first case it writes, and what it wrote is rolled back.
    await a.line(mode === "stop" ? "wrote lost" : "refused lost");
    // Whoever asked it hears what the other one came to.
    expect(await resultInA).toEqual(["a", "b", "b"]);
    // It goes on working, and what it held back does not come later.
    expect(await a.result("job", "later")).toEqual(["a", "a", "a"]);
    await a.shutdown();
    expect(await history("lost")).toEqual(before);
    expect(entries(before, "activity_completed")).toHaveLength(3);
    expect(trail("lost")).toEqual(["before:1 a", "middle:1 a", "middle:1 b", "after:1 b"]);
    expect(payments()).toEqual([
      { instance: "later", step: "middle:1" },
      { instance: "lost", step: "middle:1" },
    ]);
  });

  it("tell who asks one that was wrongly taken for dead how its instance ended elsewhere", async () => {
    const a = await launched("workers", { label: "a", mode: "hang", options: { leaseDuration: "1h" } });
    const result = a.result("job", "lost");
    await a.line("holding lost");
    // As another worker does that takes it for dead, and goes on with its instance.
    inDatabase((database) =>
      database.exec(`begin immediate;
        delete from romancy_workers;
        insert into romancy_workers (id, incarnation, host, pid, born, started_at, expires_at)
          values ('b', 'b', 'elsewhere', 1, '', 0, 9007199254740991);
        update romancy_instances set worker_id = 'b', epoch = epoch + 1;
        commit`),
    );
    await a.line("aborted lost");
    inDatabase((database) =>
      database.exec(`update romancy_instances
        set status = 'completed', output = '["a","b","b"]', worker_id = null, completed_at = 1`),
    );
    expect(await result).toEqual(["a", "b", "b"]);
    expect(trail("lost")).toEqual(["before:1 a", "middle:1 a"]);
  });

  it("get back what one has in hand when it shuts down without waiting", async () => {
    const options = { shutdownTimeout: "20ms" } as const;
    const a = await launched("workers", { label: "a", mode: "hang", options });
    const b = await launched("workers", { label: "b" });
    a.start("job", "handed");
    await a.line("holding handed");
    const result = b.result("job", "handed");
    a.tell("shutdown");
    await a.line("aborted handed");
    await a.ended();
    expect(await result).toEqual(["a", "b", "b"]);
    expect(trail("handed")).toEqual(["before:1 a", "middle:1 a", "middle:1 b", "after:1 b"]);
    expect(effects().map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    await b.shutdown();
  });

  it("let a restart in place have its fixed id at once", async () => {
    const options = { workerId: "fixed" };
    const first = await launched("workers", { label: "a", mode: "hang", options });
    first.start("job", "kept");
    await first.line("holding kept");
    await first.kill();
    const second = await launched("workers", { label: "b", options });
    expect(await second.result("job", "kept")).toEqual(["a", "b", "b"]);
    await second.shutdown();
    // And after a shutdown.
    const third = await launched("workers", { label: "c", options });
    expect(await third.result("job", "new")).toEqual(["c", "c", "c"]);
    await third.shutdown();
  });

  it("refuse a second living one of the same id, and the first one is not disturbed", async () => {
    const options = { workerId: "fixed" };
    const first = await launched("workers", { label: "a", mode: "hang", options });
    first.start("job", "kept");
    await first.line("holding kept");
    const second = launch("workers", { label: "b", options });
    expect(await second.line("refused")).toBe("DuplicateNameError");
    await second.ended();
    expect(trail("kept")).toEqual(["before:1 a", "middle:1 a"]);
    expect(first.lines).not.toContain("aborted kept");
    await first.kill();
    const third = await launched("workers", { label: "c", options });
    expect(await third.result("job", "kept")).toEqual(["a", "c", "c"]);
    await third.shutdown();
  });
});
