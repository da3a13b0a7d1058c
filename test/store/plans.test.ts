/** Every hot statement is served by an index: shown by the database's own plan. */
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { migrations } from "../../src/store/migrations.gen.ts";
import { DEFAULT_NAMING } from "../../src/store/naming.ts";
import { type Compiled, compile, type Statement } from "../../src/store/statement.ts";
import * as history from "../../src/store/statements/history.ts";
import * as instances from "../../src/store/statements/instances.ts";
import * as workers from "../../src/store/statements/workers.ts";
import { sqliteDialect } from "../support/statements.ts";

const HOT: readonly (readonly [string, Statement<string, unknown>, RegExp])[] = [
  ["claim", instances.claimDue, /romancy_instances_due/],
  ["next due", instances.nextDue, /romancy_instances_due/],
  ["sweep", instances.freeInstancesOf, /romancy_instances_owner/],
  ["survey", workers.survey, /romancy_instances_due/],
  ["free orphans", instances.freeOrphans, /romancy_instances_owner/],
  ["unblock", instances.unblockInstances, /romancy_instances_blocked/],
  ["finish", instances.finishInstance, /autoindex_romancy_instances/],
  ["suspend", instances.suspendInstance, /autoindex_romancy_instances/],
  ["append", history.appendEventFenced, /autoindex_romancy_instances/],
  ["history", history.historyPage, /PRIMARY KEY/],
  ["ended", instances.endedAmong, /autoindex_romancy_instances/],
  ["list", instances.listInstances, /romancy_instances_created/],
];

it.each(HOT)("%s uses its index", async (_, statement, index) => {
  const compiled: Compiled = compile(statement, await sqliteDialect(), DEFAULT_NAMING);
  const database = new DatabaseSync(":memory:");
  for (const { up } of migrations["sqlite"] ?? []) database.exec(up);
  const plan = database.prepare(`explain query plan ${compiled.text}`).all(...compiled.keys.map(() => null));
  database.close();
  const details = plan.map((row) => String(row["detail"]));
  expect(details.join("\n")).toMatch(index);
  expect(details.filter((detail) => /^SCAN romancy_(instances|history)$/.test(detail))).toEqual([]);
});
