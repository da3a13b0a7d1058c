/** A test, once more for each crash that there can be. */
import { startTestApp, type TestApp, type TestAppOptions } from "./test-app.ts";

/** What came of it. */
export interface CrashReport {
  /** Commits of the run without a crash. */
  readonly commits: number;
  /** Crashes that took place, each in a run of its own. */
  readonly crashes: number;
}

const MOMENTS = ["before commit", "after commit"] as const;

/**
 * Runs a test on an app that does not die, and then once more for each of its commits, on a new app that dies before it,
 * and on one that dies after it. What the test expects must hold however often activities are run again.
 *
 * @throws what the test throws, with the crash that it was
 * @example
 * await crashEverywhere({ workflows: [order] }, async (app) => {
 *   const handle = await order.with({ id: "ORD-1" }).start(app, "ORD-1", 99.99);
 *   expect(await handle.result()).toEqual({ status: "paid" });
 * });
 */
export async function crashEverywhere(
  options: TestAppOptions,
  test: (app: TestApp) => Promise<void>,
): Promise<CrashReport> {
  const commits = await withApp(options, async (app) => {
    await test(app);
    return app.commits;
  });
  let crashes = 0;
  for (let commit = 1; commit <= commits; commit++) {
    for (const at of MOMENTS) {
      crashes += await withApp(options, async (app) => {
        app.crashAt({ at, commit });
        await test(app).catch((cause: unknown) => {
          throw new Error(`The test fails with a crash ${at} ${commit} of ${commits}: ${String(cause)}`, { cause });
        });
        return app.crashes;
      });
    }
  }
  return { commits, crashes };
}

async function withApp<T>(options: TestAppOptions, body: (app: TestApp) => Promise<T>): Promise<T> {
  const app = await startTestApp(options);
  try {
    return await body(app);
  } finally {
    await app.shutdown();
  }
}
