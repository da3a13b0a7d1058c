/** Many processes that open one new file at once, and kills while the schema is being made. */

import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { migrations } from "../../src/store/migrations.gen.ts";
import { databaseFile, inDatabase, launch, launched, type Program } from "./child.ts";
import { dice, seed } from "./random.ts";

const EIGHT = [1, 2, 3, 4, 5, 6, 7, 8];

/** The file is whole and each migration was made once. */
function checkFile(): void {
  inDatabase((database) => {
    expect(database.prepare("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
    expect(database.prepare("select count(*) as n from romancy_migrations").get()).toEqual({
      n: migrations["sqlite"]?.length,
    });
  });
}

async function works(program: Program, id: string): Promise<void> {
  expect(await program.result("steps", id, 0)).toEqual([1, 2, 3]);
}

describe("a new file", () => {
  it("is opened by eight processes at the same moment", async () => {
    const programs = EIGHT.map(() => launch("steps", { mode: "held" }));
    for (const program of programs) program.tell("go");
    await Promise.all(programs.map((program) => program.line("started")));
    await Promise.all(programs.map((program, n) => works(program, `of-${n}`)));
    await Promise.all(programs.map((program) => program.shutdown()));
    checkFile();
  });

  it(`is opened although some of those who open it are killed (CRASH_SEED=${seed})`, async () => {
    const roll = dice(seed);
    const doomed = EIGHT.map(() => launch("steps", { mode: "held", dieBeforeCall: roll(14) }));
    const others = [1, 2].map(() => launch("steps", { mode: "held" }));
    for (const program of [...doomed, ...others]) program.tell("go");
    await Promise.all(others.map((program) => program.line("started")));
    await Promise.all(others.map((program, n) => works(program, `of-${n}`)));
    await Promise.all([...doomed.map((program) => program.died()), ...others.map((program) => program.shutdown())]);
    checkFile();
  });

  it("can be used after a kill at any point of the first start", { timeout: 180_000 }, async () => {
    let point = 1;
    for (; ; point++) {
      for (const end of ["", "-wal", "-shm"]) rmSync(`${databaseFile()}${end}`, { force: true });
      const first = launch("steps", { dieBeforeCall: point });
      const started = await first.line("started").then(
        () => true,
        () => false,
      );
      if (started) break;
      await first.died();
      const second = await launched("steps");
      await works(second, "a");
      await second.shutdown();
      checkFile();
    }
    // Were it fewer, the calls would not be counted.
    expect(point).toBeGreaterThan(20);
  });
});
