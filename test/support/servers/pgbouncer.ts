/** PgBouncer in front of a PostgreSQL server, which deals out few connections. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ping } from "./postgres.ts";
import { programPath, versionOf } from "./programs.ts";
import type { Recipe } from "./recipe.ts";

export interface Pooling {
  /** For how long a client has the same connection. */
  readonly mode: "session" | "transaction";
  /** To one database. */
  readonly connections: number;
}

/** @param behind the server's URL, of the database that the pooler's own leads to */
export function pgbouncerRecipe(behind: string, pooling: Pooling): Recipe | string {
  const file = programPath("pgbouncer");
  if (file === undefined) return "no pgbouncer was found; apt-get install pgbouncer";
  const [version = ""] = versionOf(file).split("\n");
  const { pathname } = new URL(behind);
  return {
    kind: "pgbouncer",
    version,
    // At once, whatever clients are doing.
    endSignal: "SIGTERM",
    prepare: () => [],
    run: ({ folder, seen }, port) => {
      writeFileSync(join(folder, "pgbouncer.ini"), settings(new URL(behind), pooling, port));
      return { file, args: [join(seen, "pgbouncer.ini")] };
    },
    url: (port) => `postgres://anybody@127.0.0.1:${port}${pathname}`,
    ping,
  };
}

/** https://www.pgbouncer.org/config.html */
function settings(
  { hostname, port, username, password }: URL,
  { mode, connections }: Pooling,
  ownPort: number,
): string {
  const server = [`host=${hostname}`, `port=${port || 5432}`, `user=${username || "postgres"}`];
  if (password !== "") server.push(`password=${decodeURIComponent(password)}`);
  return `[databases]
* = ${server.join(" ")}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${ownPort}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${connections}
max_client_conn = 500
`;
}
