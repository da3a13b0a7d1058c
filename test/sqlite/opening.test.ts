/** What can be given as a SQLite database, and what cannot. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { defineWorkflow, UnsupportedDatabaseError } from "../../src/index.ts";
import { createApp, databaseFile, startApp } from "../support/apps.ts";

const echo = defineWorkflow("echo", (_, value: string) => value);

it("works on `:memory:`, a path, `file:` and `sqlite:`", async () => {
  const file = databaseFile("path.db");
  for (const database of [":memory:", file, `file:${file}`, `sqlite:${file}`, `sqlite://${file}`]) {
    const app = await startApp({ database, workflows: [echo] });
    expect(await (await echo.start(app, "a")).result()).toBe("a");
    await app.shutdown();
  }
  expect(existsSync(file)).toBe(true);
});

it("works on a file relative to where the process is, and on a URL object", async () => {
  const file = relative(process.cwd(), databaseFile("relative.db"));
  const url = pathToFileURL(file);
  const app = await startApp({ database: `file:${file}`, workflows: [echo] });
  const { id } = await echo.start(app, "a");
  await app.handle(echo, id).result();
  await app.shutdown();
  for (const database of [url, url.href.replace("file://", "file://localhost")]) {
    const again = await startApp({ database, workflows: [echo] });
    expect(await again.handle(echo, id).result()).toBe("a");
    await again.shutdown();
  }
});

it("refuses a folder that is not there and can then be tried again", async () => {
  const app = createApp({ database: "/nowhere/at/all.db" });
  await expect(app.start()).rejects.toThrow(UnsupportedDatabaseError);
  await expect(app.start()).rejects.toThrow(UnsupportedDatabaseError);
});

it("refuses a file that is not a database, and leaves it as it was", async () => {
  const file = databaseFile("letter.txt");
  const text = "Dear reader, ".repeat(200);
  writeFileSync(file, text);
  await expect(createApp({ database: file }).start()).rejects.toThrow("cannot be opened: file is not a database");
  expect(readFileSync(file, "utf8")).toBe(text);
});
