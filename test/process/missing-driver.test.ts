/** What users are told who have not installed a database's driver, or whose server is not there. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Romancy } from "../../src/index.ts";

it("names the package to install, and needs none for SQLite", () => {
  const fixture = fileURLToPath(new URL("fixtures/without-drivers.ts", import.meta.url));
  const output = execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", fixture], {
    encoding: "utf8",
  });
  expect(output.trim().split("\n")).toEqual([
    "UnsupportedDatabaseError: PostgreSQL needs the package `pg`: run `npm install pg`.",
    "UnsupportedDatabaseError: MySQL and MariaDB need the package `mysql2`: run `npm install mysql2`.",
    "UnsupportedDatabaseError: MySQL and MariaDB need the package `mysql2`: run `npm install mysql2`.",
    "SQLite works.",
  ]);
});

// Port 1 is nobody's.
it.each(["postgres://127.0.0.1:1/app", "mysql://127.0.0.1:1/app"])(
  "says that %s cannot be reached",
  async (database) => {
    await expect(new Romancy({ database }).start()).rejects.toThrow(/database cannot be reached: .*ECONNREFUSED/);
  },
);
