/** Two workers whose instances send to each other's all the time, straight on the database. */
import { expect, it } from "vitest";
import { testDatabase } from "../support/apps.ts";
import { crosswise } from "./crosswise.ts";

it("lose nothing, deliver nothing twice, and never wait for each other", { timeout: 60_000 }, async () => {
  expect(await crosswise(testDatabase().url)).toEqual([]);
});
