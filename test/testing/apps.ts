import { afterEach } from "vitest";
import { startTestApp, type TestApp, type TestAppOptions } from "../../src/testing/index.ts";

const apps: TestApp[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.shutdown();
});

/** An app that is shut down after the test. */
export async function start(options: TestAppOptions): Promise<TestApp> {
  const app = await startTestApp(options);
  apps.push(app);
  return app;
}
