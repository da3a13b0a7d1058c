/** The storm, straight on the database. */
import { it } from "vitest";
import { seed } from "../crash/random.ts";
import { testDatabase } from "../support/apps.ts";
import { STORM_TIMEOUT, storm } from "./storm.ts";

it(`survives the death of its workers (CRASH_SEED=${seed})`, { timeout: STORM_TIMEOUT }, () =>
  storm(testDatabase().url),
);
