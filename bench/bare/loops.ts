/** The same rows with no engine: what the database and its driver can do on this machine in this run. */
import type { Kind } from "../databases.ts";
import { bareMysql } from "./mysql.ts";
import { barePostgres } from "./postgres.ts";
import type { BareLoop } from "./rows.ts";
import { bareSqlite } from "./sqlite.ts";

export const bareLoops: Readonly<Record<Kind, BareLoop>> = {
  sqlite: bareSqlite,
  postgres: barePostgres,
  mysql: bareMysql,
};
