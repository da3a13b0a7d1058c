/** Run before each file of a database's tests: where its server is not to be had, each is skipped, and says why. */
import { beforeEach, inject } from "vitest";
import "./provided.ts";

beforeEach((context) => {
  const database = inject("database");
  if ("missing" in database) context.skip(`${database.kind}: ${database.missing}`);
});
