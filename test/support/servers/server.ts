/** A database server of the tests' own, on a free port and in a temporary folder, which can be killed and restarted. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import { mariadbRecipe, mysqlRecipe } from "./mysql.ts";
import { type Pooling, pgbouncerRecipe } from "./pgbouncer.ts";
import { postgresRecipe } from "./postgres.ts";
import { endAll } from "./processes.ts";
import { isRoot, nobody } from "./programs.ts";
import type { Command, Home, Recipe, ServerKind } from "./recipe.ts";

export type { ServerKind } from "./recipe.ts";

export interface TestServer {
  /** The program and its version. */
  readonly version: string;
  /** An administrator's URL, of a database that is not to be used. */
  readonly url: string;
  /** kill -9 of all its processes. Resolves when they are gone. */
  kill(): Promise<void>;
  /** Starts it again, after `kill`, on the same port and data. Resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes all that it wrote. */
  stop(): Promise<void>;
}

const RECIPES = { postgres: postgresRecipe, mariadb: mariadbRecipe, mysql: mysqlRecipe };

/** Times that another port is tried, should somebody take it after it was found free. */
const TRIES = 3;

/** Milliseconds in which a server must answer after its start. */
const START_WITHIN = 60_000;

/** Of the end of a server's log, which tells why it has ended. */
const LOG_LINES = 60;

/** Times that a server is started again that ends by itself. */
const MOST_DEATHS = 3;

/** Starts a server, or tells why there is none to be had. */
export function startServer(kind: ServerKind): Promise<TestServer | string> {
  return startBy(RECIPES[kind]());
}

/** The same for a pooler before the server of the URL. */
export function startPooler(behind: string, pooling: Pooling): Promise<TestServer | string> {
  return startBy(pgbouncerRecipe(behind, pooling));
}

async function startBy(recipe: Recipe | string): Promise<TestServer | string> {
  if (typeof recipe === "string") return recipe;
  const server = new Server(recipe);
  try {
    await server.start();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

class Server implements TestServer {
  readonly version: string;
  readonly #recipe: Recipe;
  readonly #home: Home;
  readonly #watchdog: ChildProcess;
  /** The server, while it is to live. */
  #process: ChildProcess | undefined;
  #deaths = 0;
  #port = 0;

  constructor(recipe: Recipe) {
    this.version = recipe.version;
    this.#recipe = recipe;
    this.#home = makeHome(recipe);
    const watchdog = fileURLToPath(new URL("watchdog.ts", import.meta.url));
    // Detached, so that a Ctrl-C in the terminal ends the tests and not their watchdog.
    this.#watchdog = spawn(process.execPath, [watchdog, this.#home.folder, recipe.endSignal], {
      stdio: ["pipe", "ignore", "inherit"],
      detached: true,
    });
    this.#watchdog.unref();
  }

  get url(): string {
    return this.#recipe.url(this.#port);
  }

  async start(): Promise<void> {
    for (const command of this.#recipe.prepare(this.#home)) {
      const [code] = await once(this.#spawn(command), "exit");
      if (code !== 0) throw new Error(`${command.file} failed.\n${this.#log()}`);
    }
    for (let tries = 1; ; tries++) {
      this.#port = await freePort();
      try {
        return await this.restart();
      } catch (error) {
        if (tries === TRIES) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    const server = this.#spawn(this.#recipe.run(this.#home, this.#port));
    server.unref();
    const deadline = performance.now() + START_WITHIN;
    while (!(await this.#answers())) {
      const hasEnded = server.exitCode !== null || server.signalCode !== null;
      if (hasEnded || performance.now() > deadline) throw new Error(`${this.version} did not start.\n${this.#log()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#process = server;
    server.once("exit", (code, signal) => {
      if (server === this.#process) void this.#revive(signal ?? `code ${code}`);
    });
  }

  async kill(): Promise<void> {
    this.#process = undefined;
    await endAll(this.#home.folder, "SIGKILL");
  }

  async stop(): Promise<void> {
    if (this.#watchdog.exitCode !== null) return;
    this.#process = undefined;
    this.#watchdog.ref();
    const exited = once(this.#watchdog, "exit");
    this.#watchdog.stdin?.end();
    await exited;
  }

  #spawn({ file, args, asRoot = false }: Command): ChildProcess {
    const log = openSync(join(this.#home.folder, "log"), "a");
    const child = spawn(file, args, {
      cwd: this.#home.folder,
      stdio: ["ignore", log, log],
      detached: true,
      ...(isRoot() && !asRoot && nobody()),
    });
    closeSync(log);
    return child;
  }

  /**
   * A server that ends without being told to is a fault of its own, or somebody's outside. It is told of, with what the
   * server said, and started again, as whoever operates one does it: else all tests that come later would fail of it.
   */
  async #revive(end: string): Promise<void> {
    process.stderr.write(`\nDIED: the tests' ${this.version} ended by itself (${end}). It said:\n${this.#log()}\n`);
    if (++this.#deaths > MOST_DEATHS) return;
    await this.restart().catch((error: unknown) =>
      process.stderr.write(`It cannot be started again: ${String(error)}\n`),
    );
  }

  async #answers(): Promise<boolean> {
    return this.#recipe.ping(this.url).then(
      () => true,
      () => false,
    );
  }

  /** The end of what the server said. */
  #log(): string {
    return readFileSync(join(this.#home.folder, "log"), "utf8").split("\n").slice(-LOG_LINES).join("\n");
  }
}

function makeHome({ kind, otherRoot }: Recipe): Home {
  // By its real path: the processes in it are found by that.
  const root = otherRoot === undefined ? "" : realpathSync(otherRoot);
  const folder = mkdtempSync(
    join(otherRoot === undefined ? realpathSync(tmpdir()) : join(root, "tmp"), `romancy-${kind}-`),
  );
  if (isRoot()) chownSync(folder, nobody().uid, nobody().gid);
  return { folder, seen: folder.slice(root.length) };
}
