/** The command line against each database. */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { defineActivity, defineWorkflow, TerminalError } from "../../src/index.ts";
import { createApp, startApp, testDatabase } from "../support/apps.ts";
import { launch, romancy, romancyJson, workflowsModule } from "../support/cli.ts";
import cliWorkflows, { greeting, placed } from "../support/cli-workflows.ts";
import { databaseKind } from "../support/database.ts";
import { until } from "../support/wait.ts";

// Each starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const { waiting } = cliWorkflows;

it("migrates, tells how it stands, and takes the last migration back", async () => {
  const missing = await romancy(["list"]);
  expect(missing).toMatchObject({ code: 5, stdout: "" });
  expect(missing.stderr).toContain("romancy migrate");
  const { applied } = (await romancyJson("migrate")) as { applied: string[] };
  expect(applied.length).toBeGreaterThan(3);
  expect(await romancyJson("migrate")).toEqual({ applied: [] });
  expect(await romancyJson("migrate", "--down")).toEqual({ reverted: applied.at(-1) });
  const { code, stdout } = await romancy(["migrate", "--status", "--json"]);
  expect(code).toBe(5);
  expect(JSON.parse(stdout).migrations.at(-1)).toMatchObject({ version: applied.at(-1), status: "pending" });
  expect((await romancy(["list"])).stderr).toContain("romancy migrate");
});

it("starts, lists, shows, wakes, cancels and retries", async () => {
  let isBroken = true;
  const fragile = defineActivity("fragile", () => {
    if (isBroken) throw new TerminalError("broken");
    return "repaired";
  });
  const failing = defineWorkflow("failing", (ctx) => fragile(ctx));
  const app = await startApp({ workflows: [greeting, waiting, placed, failing] });
  const module = ["--module", workflowsModule];

  const started = await romancyJson("start", "greeting", ...module, "--input", '["Ada", 2]', "--id", "g-1", "--wait");
  const result = { text: "Hello, Ada", times: 2, at: "1970-01-01T00:00:00.000Z" };
  expect(started).toEqual({ id: "g-1", workflow: "greeting", result });
  expect(await romancyJson("get", "g-1")).toMatchObject({ status: "completed", input: ["Ada", 2], output: result });
  expect(await romancyJson("history", "g-1")).toMatchObject({ id: "g-1", events: [{ kind: "activity_completed" }] });

  await romancyJson("start", "waiting", ...module, "--input", '"k"', "--id", "w-1", "--tag", "of=k");
  await until(async () => (await app.getInstance("w-1")).status === "waiting");
  expect(await romancyJson("list", "--status", "waiting,blocked", "--tag", "of=k", "--input", "0=k")).toMatchObject({
    instances: [{ id: "w-1", workflow: "waiting", status: "waiting", tags: { of: "k" } }],
    hasMore: false,
  });
  await romancyJson("event", "go", "--subject", "k", "--data", '{"a":1}');
  expect(await app.handle(waiting, "w-1").result()).toEqual({ a: 1 });
  await romancyJson("event", "order.placed", ...module, "--data", '{"id":"o-1"}', "--id", "e-1");
  await until(
    async () => (await app.listInstances({ workflow: "placed", status: "completed" })).instances.length === 1,
  );

  await waiting.with({ id: "w-2" }).start(app, "k");
  expect(await romancyJson("cancel", "w-2", "--reason", "enough")).toEqual({ id: "w-2", cancelRequested: true });
  await expect(app.handle(waiting, "w-2").result()).rejects.toThrow("enough");
  expect(await romancy(["cancel", "g-1"])).toMatchObject({ code: 4, stdout: "" });

  const failed = await failing.with({ id: "f-1" }).start(app);
  await expect(failed.result()).rejects.toThrow("broken");
  isBroken = false;
  const retried = await romancy(["retry", "f-1", "nobody", "g-1", "--json"]);
  expect(retried.code).toBe(3);
  expect(JSON.parse(retried.stdout)).toMatchObject({
    instances: [
      { id: "f-1" },
      { id: "nobody", error: { code: "INSTANCE_NOT_FOUND" } },
      { id: "g-1", error: { code: "INSTANCE_NOT_RETRYABLE" } },
    ],
  });
  expect(await failed.result()).toBe("repaired");

  const { workers } = (await romancyJson("workers")) as { workers: unknown[] };
  expect(workers).toMatchObject([{ id: app.workerId, pid: process.pid, isAlive: true }]);
});

it("publishes to channels, and to one instance", async () => {
  const reader = defineWorkflow("reader", async (ctx, channel: string) => {
    await ctx.subscribe(channel, channel === "mail" ? "direct" : "broadcast");
    const { data, metadata } = await ctx.receive(channel);
    return { data, metadata };
  });
  const app = await startApp({ workflows: [reader] });
  const [news, mail] = await Promise.all(["news", "mail"].map((channel) => reader.start(app, channel)));
  await until(async () => (await app.listInstances({ status: "waiting" })).instances.length === 2);
  await romancyJson("publish", "news", "--data", "[1]", "--metadata", '{"a":1}');
  expect(await news?.result()).toEqual({ data: [1], metadata: { a: 1 } });
  await romancyJson("publish", "mail", "--data", '"hi"', "--to", mail?.id ?? "");
  expect(await mail?.result()).toEqual({ data: "hi", metadata: {} });
});

it("lists and retries events for brokers, and compensations", async () => {
  let isBroken = true;
  const undo = defineActivity("undo", () => "x", {
    compensation: () => {
      if (isBroken) throw new TerminalError("not undone");
    },
  });
  const flow = defineWorkflow("flow", async (ctx) => {
    await undo(ctx);
    await ctx.sendEvent({ type: "sent", data: 1 });
    throw new Error("no");
  });
  const publish = async (): Promise<void> => {
    if (isBroken) throw new TerminalError("refused");
  };
  const app = await startApp({ workflows: [flow], publisher: { publish } });
  const handle = await flow.with({ id: "i-1" }).start(app);
  await expect(handle.result()).rejects.toThrow("no");
  await until(async () => (await app.outbox.list({ status: "invalid" })).events.length === 1);
  expect(await romancyJson("outbox", "list", "--status", "invalid")).toMatchObject({
    events: [{ instanceId: "i-1", status: "invalid", lastError: expect.stringContaining("refused") }],
  });
  isBroken = false;
  expect(await romancyJson("outbox", "retry", "--instance", "i-1")).toEqual({ count: 1 });
  await until(async () => (await app.outbox.list({ status: "published" })).events.length === 1);
  expect(await romancyJson("retry-compensations", "i-1")).toEqual({ id: "i-1", compensating: true });
  await until(async () => (await app.getInstance("i-1")).compensationErrors.length === 0);
});

it("removes what ended long ago, or only counts it", async () => {
  const app = await startApp({ workflows: [greeting] });
  for (const name of ["Ada", "Grace"]) await (await greeting.start(app, name)).result();
  const prune = (...more: string[]): Promise<unknown> => romancyJson("prune", "--older-than", "1ms", ...more);
  expect(await prune("--dry-run")).toEqual({ instances: 2, trees: 2, dryRun: true });
  expect(await prune("--status", "failed,cancelled")).toEqual({ instances: 0, trees: 0, dryRun: false });
  expect(await prune("--workflow", "greeting", "--limit", "1")).toEqual({ instances: 1, trees: 1, dryRun: false });
  expect((await app.listInstances()).instances).toHaveLength(1);
});

it("exports a history, and checks the code against it", async () => {
  const app = await startApp({ workflows: [greeting] });
  await (await greeting.with({ id: "g-1" }).start(app, "Ada")).result();
  const { stdout } = await romancy(["history", "g-1", "--export"]);
  const folder = process.env["RUNNER_TEMP"] ?? tmpdir();
  const good = join(folder, `${crypto.randomUUID()}.json`);
  const bad = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(good, stdout);
  writeFileSync(bad, stdout.replaceAll("greet:1", "wave:1"));
  const check = await romancy(["replay-check", "--module", workflowsModule, good, bad, "--json"]);
  expect(check.code).toBe(1);
  expect(JSON.parse(check.stdout)).toMatchObject({
    results: [
      { file: good, instanceId: "g-1", workflow: "greeting", type: "ok" },
      { file: bad, type: "diverged", error: { name: "NonDeterminismError" } },
    ],
  });
});

it("shows what comes and changes, until it is interrupted", async () => {
  const app = await startApp({ workflows: [greeting] });
  const child = launch(["tail", "--workflow", "greeting", "--interval", "20", "--json"]);
  let output = "";
  child.stdout?.on("data", (chunk) => {
    output += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let started = 0;
  // What was there before it began to look is not shown.
  await until(async () => {
    await (await greeting.with({ id: `g-${++started}` }).start(app, "Ada")).result();
    return output.includes('"status":"completed"');
  });
  child.kill("SIGINT");
  expect(await ended).toBe(0);
  const lines = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.every(({ workflow }) => workflow === "greeting")).toBe(true);
});

it("finds what is wrong with a set-up", async () => {
  await createApp().migrate();
  const healthy = await romancy(["doctor", "--json"]);
  expect(healthy.code).toBe(0);
  expect(JSON.parse(healthy.stdout)).toMatchObject({ status: "warning" });
  const client = await startApp({ worker: false });
  await greeting.start(client, "Ada");
  await waiting.start(client, "k");
  await testDatabase().exec("update romancy_instances set wake_at = wake_at - 60000 where workflow = 'greeting'");
  await testDatabase().exec(
    "update romancy_instances set status = 'blocked', wake_at = null where workflow = 'waiting'",
  );
  const sick = await romancy(["doctor"]);
  expect(sick.code).toBe(1);
  expect(sick.stdout).toContain("1 instance of workflow greeting should have been taken up");
  expect(sick.stdout).toContain("Start a worker that knows greeting.");
  expect(sick.stdout).toContain("1 instance of workflow waiting is blocked.");
  await testDatabase().exec("insert into romancy_migrations values ('99990101000000')");
  const newer = await romancy(["doctor"]);
  expect(newer.code).toBe(1);
  expect(newer.stdout).toContain("99990101000000");
});

it("says that the server cannot be reached", async () => {
  const url = databaseKind === "sqlite" ? "/nowhere/at/all.db" : testDatabase().url.replace(/:\d+\//, ":1/");
  const { code, stdout, stderr } = await romancy(["list", "--url", url]);
  expect({ code, stdout }).toEqual({ code: databaseKind === "sqlite" ? 5 : 6, stdout: "" });
  expect(stderr).toMatch(
    databaseKind === "sqlite" ? /^romancy: The SQLite database .* does not exist/ : /cannot be reached/,
  );
});
