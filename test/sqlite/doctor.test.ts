/** What the doctor says of SQLite's file. */
import { chmodSync } from "node:fs";
import { expect, it } from "vitest";
import type { Finding } from "../../src/index.ts";
import { createApp, databaseFile, startApp } from "../support/apps.ts";

it("warns of a file that everybody can write", async () => {
  const app = await startApp();
  const file = async (): Promise<Finding | undefined> => (await app.diagnose()).find(({ check }) => check === "file");
  chmodSync(databaseFile(), 0o600);
  expect(await file()).toMatchObject({ status: "ok" });
  chmodSync(databaseFile(), 0o606);
  expect(await file()).toMatchObject({ status: "warning", advice: `Run \`chmod o-w ${databaseFile()}\`.` });
});

it("finds no file of a database in memory", async () => {
  const findings = await createApp({ database: ":memory:" }).diagnose();
  expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual(["database ok", "schema problem"]);
});
