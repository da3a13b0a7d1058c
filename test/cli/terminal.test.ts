/** How the program behaves in a terminal, in a pipe, and when it is used wrongly. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { defineWorkflow } from "../../src/index.ts";
import { databaseFile, startApp } from "../support/apps.ts";
import { program, romancy, workflowsModule } from "../support/cli.ts";

// Each starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const COMMANDS = [
  ["list"],
  ["get"],
  ["history"],
  ["start"],
  ["event"],
  ["publish"],
  ["cancel"],
  ["retry"],
  ["retry-compensations"],
  ["outbox", "list"],
  ["outbox", "retry"],
  ["workers"],
  ["prune"],
  ["tail"],
  ["migrate"],
  ["doctor"],
  ["replay-check"],
];

const flow = defineWorkflow("flow", async () => {});

describe("help", () => {
  it.each(COMMANDS.map((command) => [command.join(" "), command] as const))(
    "of %s has examples",
    async (name, command) => {
      const { code, stdout, stderr } = await romancy([...command, "--help"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain(`$ romancy ${name}`);
      expect(stdout).toContain("--json");
    },
  );

  it("names all commands, and the version is the package's", async () => {
    const { code, stdout } = await romancy(["--help"]);
    expect(code).toBe(0);
    for (const [name] of COMMANDS) expect(stdout).toContain(`  ${name}`);
    expect((await romancy(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe("wrong usage", () => {
  it.each([
    ["no command", [], "no command was given"],
    ["an unknown command", ["lsit"], "Did you mean list?"],
    ["an unknown option", ["list", "--nope"], "unknown option '--nope'"],
    ["a missing argument", ["get"], "missing required argument 'id'"],
    ["a missing option", ["start", "greeting"], "required option '--module <file>' not specified"],
    ["a module that is not there", ["start", "a", "--module", "nope.ts"], "nope.ts does not exist"],
    ["an unknown workflow", ["start", "nope", "--module", workflowsModule], "it has: "],
    [
      "input that is no JSON",
      ["start", "greeting", "--module", workflowsModule, "--input", "{"],
      "--input is not JSON",
    ],
    ["an unknown status", ["list", "--status", "nope"], "status"],
    ["a limit that is no number", ["list", "--limit", "many"], "--limit is many"],
    ["a time that is none", ["list", "--created-from", "soon"], "--created-from is soon"],
    ["a tag without a value", ["list", "--tag", "customer"], "--tag is customer"],
    ["two ways to migrate", ["migrate", "--status", "--down"], "not both"],
    ["an age that is none", ["prune", "--older-than", "long"], "olderThan"],
    ["a status that has not ended", ["prune", "--older-than", "1d", "--status", "running"], "only what has ended"],
    ["metadata that is no object", ["publish", "a", "--data", "1", "--metadata", "1"], "--metadata must be"],
    ["an event by id and status", ["outbox", "retry", "e-1", "--status", "failed"], "not both"],
    ["a history that is none", ["replay-check", "--module", workflowsModule, workflowsModule], "cannot be read"],
  ])("%s is said in one line, with exit code 2", async (_, args, message) => {
    await startApp({ worker: false });
    const { code, stdout, stderr } = await romancy(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const lines = stderr.trimEnd().split("\n");
    expect(lines.at(-1)).toMatch(/^romancy: /);
    expect(lines.at(-1)).toContain(message);
    if (args.length > 0) expect(lines).toHaveLength(1);
    expect(stderr).not.toContain("    at ");
  });

  it("is told as JSON with --json", async () => {
    const { code, stderr } = await romancy(["list", "--nope", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toEqual({ error: { code: "USAGE", message: "unknown option '--nope'" } });
    const missing = await romancy(["get", "nobody", "--json"]);
    expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: "SCHEMA_VERSION" } });
  });

  it("is no database at all", async () => {
    const { code, stderr } = await romancy(["list"], { ROMANCY_DATABASE_URL: "" });
    expect(code).toBe(2);
    expect(stderr).toBe("romancy: no database is named: give --url, or set ROMANCY_DATABASE_URL\n");
  });

  it("is a database that romancy does not know", async () => {
    const { code, stderr } = await romancy(["list", "--url", "oracle://x/y"]);
    expect(code).toBe(6);
    expect(stderr).toContain("cannot use oracle databases");
  });
});

describe("a database that does not exist", () => {
  it.each([["list"], ["get", "a"], ["doctor"], ["workers"], ["cancel", "a"], ["migrate", "--status"]])(
    "is not made by %s",
    async (...args) => {
      const file = databaseFile("missing.db");
      const { code, stdout, stderr } = await romancy([...args, "--url", file]);
      expect(code).toBe(args[0] === "doctor" ? 1 : 5);
      expect(stdout + stderr).toContain("does not exist");
      expect(readdirSync(join(file, "..")).filter((name) => name.startsWith("missing"))).toEqual([]);
    },
  );

  it("is made by migrate", async () => {
    const file = databaseFile("new.db");
    expect(await romancy(["migrate", "--url", file])).toMatchObject({ code: 0, stderr: "" });
    expect((await romancy(["list", "--url", file])).stdout).toBe("No instances.\n");
  });
});

describe("an unknown instance", () => {
  it.each(["get", "history", "cancel", "retry", "retry-compensations"])("has %s end with 3", async (command) => {
    await startApp({ worker: false });
    const { code, stdout, stderr } = await romancy([command, "nobody"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toBe("romancy: There is no instance nobody in this database. Check the id and the database.\n");
  });
});

describe("start --wait", () => {
  it("ends with 7 when it takes too long, and with 1 when the workflow fails", async () => {
    await startApp({ worker: false });
    const start = ["start", "greeting", "--module", workflowsModule, "--input", '"Ada"', "--id", "g-1", "--wait"];
    const late = await romancy([...start, "--timeout", "10ms"]);
    expect(late.code).toBe(7);
    expect(late.stderr).toContain("g-1 had no result within 10 ms");
    const failing = defineWorkflow("greeting", async () => {
      throw new Error("no");
    });
    await startApp({ workflows: [failing] });
    const failed = await romancy([...start, "--json"]);
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stderr)).toMatchObject({ error: { code: "WORKFLOW_FAILED" } });
  });
});

describe("a module", () => {
  it("that throws, or exports nothing, is told of", async () => {
    const broken = databaseFile("broken.mjs");
    writeFileSync(broken, "throw new Error('a bug');");
    expect(await romancy(["start", "a", "--module", broken])).toMatchObject({
      code: 1,
      stderr: `romancy: The module ${broken} cannot be loaded: a bug\n`,
    });
    const empty = databaseFile("empty.mjs");
    writeFileSync(empty, "export const a = 1;");
    const { code, stderr } = await romancy(["start", "a", "--module", empty]);
    expect(code).toBe(2);
    expect(stderr).toContain("exports no workflow");
  });
});

describe("output", () => {
  it("has no colours in a pipe, and no more than the listing", async () => {
    const app = await startApp({ workflows: [flow] });
    await (await flow.with({ id: "i-1" }).start(app)).result();
    const { stdout, stderr } = await romancy(["list"]);
    expect(stderr).toBe("");
    expect(stdout).not.toContain("\u001B");
    expect(stdout).toMatch(/^id +workflow +status +created +updated\ni-1 +flow +completed +\S+Z +\S+Z\n$/);
  });

  it("ends quietly when nobody reads it", async () => {
    const app = await startApp({ workflows: [flow] });
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => flow.with({ id: `${n}-${"x".repeat(180)}` }).start(app)));
    const command = `"${process.execPath}" "${program}" list --limit 1000 | head -1`;
    const env = { ...process.env, ROMANCY_DATABASE_URL: databaseFile() };
    const { stdout, stderr } = spawnSync("bash", ["-o", "pipefail", "-c", command], { encoding: "utf8", env });
    expect(stderr).toBe("");
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  });

  it.skipIf(!existsSync("/usr/bin/script"))("is coloured and fits on a terminal, unless NO_COLOR is set", async () => {
    const app = await startApp({ workflows: [flow] });
    await (await flow.with({ id: "x".repeat(150) }).start(app)).result();
    const onTerminal = (more: Readonly<Record<string, string>>): string => {
      // Node takes a machine that says CI for one without colours.
      const { NO_COLOR: _noColor, FORCE_COLOR: _forceColor, CI: _ci, ...env } = process.env;
      const command = `stty cols 100; "${process.execPath}" "${program}" list`;
      const all = { ...env, TERM: "xterm", ROMANCY_DATABASE_URL: databaseFile(), ...more };
      return spawnSync("/usr/bin/script", ["-qec", command, "/dev/null"], { encoding: "utf8", env: all }).stdout;
    };
    const coloured = onTerminal({});
    expect(coloured).toContain("\u001B[32mcompleted\u001B[39m");
    const plain = onTerminal({ NO_COLOR: "1" });
    expect(plain).not.toContain("\u001B");
    expect(plain).toContain("…");
    expect(Math.max(...plain.split(/\r?\n/).map(({ length }) => length))).toBeLessThanOrEqual(100);
  });
});
