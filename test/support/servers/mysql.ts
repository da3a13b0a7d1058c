/** MariaDB and MySQL. Debian has only MariaDB, and calls it `mysqld` too; `.ci/get-mysql` brings the real one. */
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { isProgram, isRoot, nobody, programPath, versionOf } from "./programs.ts";
import type { Command, Home, Recipe } from "./recipe.ts";

/** All tables in one file: to make those of a test takes a third of the time on MySQL, and the same on MariaDB. */
const ONE_FILE = "--innodb-file-per-table=0";

const NOT_MARIADB = /^(?!.*mariadb).+/i;

export function mariadbRecipe(): Recipe | string {
  const file = [programPath("mariadbd"), programPath("mysqld")].find(
    (candidate) => candidate !== undefined && /mariadb/i.test(versionOf(candidate)),
  );
  const installer = programPath("mariadb-install-db");
  if (file === undefined || installer === undefined) return "no mariadbd was found; apt-get install mariadb-server";
  return {
    ...common("mariadb"),
    version: versionOf(file),
    prepare: ({ seen }) => [
      {
        file: installer,
        args: [
          "--no-defaults",
          "--auth-root-authentication-method=normal",
          "--skip-test-db",
          "--force",
          `--datadir=${data(seen)}`,
        ],
      },
    ],
    run: (home, port) => ({ file, args: settings(home, port) }),
  };
}

export function mysqlRecipe(): Recipe | string {
  const installed = programPath("mysqld");
  if (installed !== undefined && NOT_MARIADB.test(versionOf(installed))) {
    return fromProgram(versionOf(installed), (args) => ({ file: installed, args }));
  }
  const root = otherRoot();
  if (!isProgram(join(root, "usr/sbin/mysqld"))) return "no mysqld was found; run .ci/get-mysql as root";
  if (!isRoot()) return `the mysqld of ${root} can be run by root only`;
  const before = [`--userspec=${nobody().uid}:${nobody().gid}`, root, "/usr/sbin/mysqld"];
  const recipe = fromProgram(versionOf("chroot", ...before), (args) => ({
    file: "chroot",
    args: [...before, ...args],
    asRoot: true,
  }));
  return { ...recipe, otherRoot: root };
}

/** Where `.ci/get-mysql` puts it. */
function otherRoot(): string {
  const caches = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return process.env["ROMANCY_MYSQL_ROOT"] || join(caches, "romancy/mysql-root");
}

function fromProgram(version: string, command: (args: readonly string[]) => Command): Recipe {
  return {
    ...common("mysql"),
    version,
    prepare: ({ seen }) => [command(["--no-defaults", "--initialize-insecure", `--datadir=${data(seen)}`])],
    run: (home, port) => {
      const more = ["--secure-file-priv=NULL", "--mysqlx=OFF", "--innodb-use-native-aio=0", ONE_FILE];
      return command([...settings(home, port), ...more]);
    },
  };
}

type Common = Omit<Recipe, "version" | "prepare" | "run">;

function common(kind: "mariadb" | "mysql"): Common {
  return { kind, endSignal: "SIGKILL", url: (port) => `${kind}://root@127.0.0.1:${port}/mysql`, ping };
}

function data(folder: string): string {
  return join(folder, "data");
}

/**
 * Not flushed to the disk, neither at each commit nor for the many tables that tests make: a killed process loses nothing
 * by that, only a crash of the machine does.
 */
function settings({ folder, seen }: Home, port: number): string[] {
  writeFileSync(join(folder, "init.sql"), INIT);
  return [
    "--no-defaults",
    `--datadir=${data(seen)}`,
    `--init-file=${join(seen, "init.sql")}`,
    `--socket=${join(seen, "socket")}`,
    `--pid-file=${join(seen, "pid")}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--max-connections=300",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=2",
    "--loose-innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=128M",
  ];
}

/** Both know root only as one who comes by the socket. */
const INIT = `create user if not exists root@'127.0.0.1' identified by '';
grant all on *.* to root@'127.0.0.1' with grant option;
`;

async function ping(url: string): Promise<void> {
  const { hostname, port, username } = new URL(url);
  const connection = await mysql.createConnection({
    host: hostname,
    port: Number(port),
    user: username,
    connectTimeout: 2_000,
  });
  await connection.end();
}
