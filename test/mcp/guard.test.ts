/** What would take too long with real time. */
import * as sdk from "@modelcontextprotocol/server";
import { afterEach, expect, it, vi } from "vitest";
import { createGuard } from "../../src/mcp/guard.ts";
import { recordingLogger } from "../support/apps.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("takes nothing but a function for a verifier", () => {
  for (const verifyToken of [null, false, "secret"]) {
    expect(() => createGuard(sdk, { verifyToken: verifyToken as never }, recordingLogger())).toThrow("is no function");
  }
});

it("lets nobody in when the verifier of tokens says nothing", async () => {
  vi.useFakeTimers();
  const logger = recordingLogger();
  const guard = createGuard(sdk, { verifyToken: () => new Promise(() => {}) }, logger);
  const headers = { authorization: "Bearer good" };
  const answering = guard(new Request("http://localhost/mcp", { headers }));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await answering).toMatchObject({ status: 401 });
  expect(logger.lines).toMatchObject([{ level: "error", data: { error: "There was no answer within 10000 ms." } }]);
});
