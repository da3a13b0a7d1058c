import type { DatabaseSync } from "node:sqlite";
import type { Connection } from "mysql2/promise";
import type { ClientBase } from "pg";
import { dialectName, type Param } from "./database.ts";

/** Runs a statement on `ctx.session.client` by the driver's own means, as users' code does. */
export async function runOnClient(client: unknown, sql: string, params: readonly Param[]): Promise<void> {
  switch (dialectName) {
    case "sqlite":
      (client as DatabaseSync).prepare(sql).run(...params);
      return;
    case "postgres":
      await (client as ClientBase).query(sql, [...params]);
      return;
    case "mysql":
      await (client as Connection).query(sql, [...params]);
  }
}
