/**
 * The servers that are measured: those of ROMANCY_BENCH_POSTGRES_URL and ROMANCY_BENCH_MYSQL_URL (administrators' URLs), or
 * private ones, which flush to the disk at each commit as servers do unless told otherwise.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../test/support/servers/free-port.ts";
import { mariadbRecipe } from "../test/support/servers/mysql.ts";
import { postgresRecipe } from "../test/support/servers/postgres.ts";
import { isRoot, nobody } from "../test/support/servers/programs.ts";
import type { Command, Home, Recipe } from "../test/support/servers/recipe.ts";
import { type Kind, query } from "./databases.ts";

export interface Server {
  /** An administrator's. */
  readonly url: string;
  stop(): Promise<void>;
}

type ServerKind = Exclude<Kind, "sqlite">;

const VARIABLES: Readonly<Record<ServerKind, string>> = {
  postgres: "ROMANCY_BENCH_POSTGRES_URL",
  mysql: "ROMANCY_BENCH_MYSQL_URL",
};

const RECIPES = { postgres: postgresRecipe, mysql: mariadbRecipe };

/** Against what the recipes say, which are for tests; what comes last holds. */
const DURABLE: Readonly<Record<ServerKind, readonly string[]>> = {
  postgres: ["-c", "fsync=on"],
  mysql: ["--innodb-flush-log-at-trx-commit=1"],
};

/** Milliseconds in which a private server must answer after its start. */
const START_WITHIN = 60_000;

/** The server, or why there is none. */
export async function findServer(kind: ServerKind): Promise<Server | string> {
  const url = process.env[VARIABLES[kind]];
  if (url) return { url, stop: async () => {} };
  const recipe = RECIPES[kind]();
  return typeof recipe === "string" ? `${recipe}, or set ${VARIABLES[kind]}` : startPrivate(kind, recipe);
}

/** What the figures depend on, as the server tells it. */
export async function describeServer(kind: ServerKind, url: string): Promise<{ name: string; settings: string }> {
  const names =
    kind === "postgres"
      ? ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"]
      : ["innodb_flush_log_at_trx_commit", "innodb_doublewrite", "innodb_buffer_pool_size", "log_bin"];
  const columns = names.map((name) => (kind === "postgres" ? `current_setting('${name}')` : `@@${name}`));
  const list = columns.map((column, index) => `${column} as ${names[index]}`);
  const [row = {}] = await query(kind, url, `select version() as version, ${list.join(", ")}`);
  const version = /\d+(\.\d+)+/.exec(String(row["version"]))?.[0] ?? "";
  const program = kind === "postgres" ? "PostgreSQL" : /mariadb/i.test(String(row["version"])) ? "MariaDB" : "MySQL";
  return {
    name: `${program} ${version}`,
    settings: names.map((name) => `${name} = ${String(row[name])}`).join(", "),
  };
}

async function startPrivate(kind: ServerKind, recipe: Recipe): Promise<Server> {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), `romancy-bench-${kind}-`));
  if (isRoot()) chownSync(folder, nobody().uid, nobody().gid);
  const home: Home = { folder, seen: folder };
  const watchdogFile = fileURLToPath(new URL("../test/support/servers/watchdog.ts", import.meta.url));
  const watchdog = spawn(process.execPath, [watchdogFile, folder, recipe.endSignal], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
  });
  const stop = async (): Promise<void> => {
    const exited = once(watchdog, "exit");
    watchdog.stdin?.end();
    await exited;
  };
  try {
    for (const command of recipe.prepare(home)) {
      const [code] = (await once(run(command, folder), "exit")) as [number | null];
      if (code !== 0) throw new Error(`${command.file} failed.\n${readFileSync(join(folder, "log"), "utf8")}`);
    }
    const port = await freePort();
    const { file, args } = recipe.run(home, port);
    run({ file, args: [...args, ...DURABLE[kind]] }, folder).unref();
    const url = recipe.url(port);
    await answers(recipe, url);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function run({ file, args }: Command, folder: string): ChildProcess {
  const log = openSync(join(folder, "log"), "a");
  const child = spawn(file, args, {
    cwd: folder,
    stdio: ["ignore", log, log],
    detached: true,
    ...(isRoot() && nobody()),
  });
  closeSync(log);
  return child;
}

async function answers(recipe: Recipe, url: string): Promise<void> {
  const deadline = performance.now() + START_WITHIN;
  for (;;) {
    try {
      await recipe.ping(url);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`${recipe.version} did not start.`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
