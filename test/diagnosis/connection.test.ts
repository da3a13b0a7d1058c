/** What the doctor says of connections through which messages and locks do not work, as behind a pooler of transactions. */
import { expect, it } from "vitest";
import { checkConnection } from "../../src/engine/operating/diagnose-connection.ts";
import type { LiveConnection, Store } from "../../src/store/store.ts";

/** A server that is asked through a connection which is another one each time. */
function pooled(live: () => Promise<LiveConnection>): Store {
  const store: Pick<Store, "isRemote" | "time" | "live" | "notify" | "channel"> & {
    readonly operations: Pick<Store["operations"], "isLockHeld">;
  } = {
    isRemote: true,
    channel: "romancy_channel",
    time: async () => Date.now(),
    live,
    // Nobody hears it.
    notify: async () => {},
    operations: { isLockHeld: async () => false },
  };
  return store as Store;
}

it("warns of messages that do not arrive, and of locks that nobody sees", async () => {
  let isClosed = false;
  const live: LiveConnection = {
    backend: async () => "1",
    isShared: async () => false,
    lock: async () => true,
    listen: async () => {},
    closed: new Promise(() => {}),
    close: async () => {
      isClosed = true;
    },
  };
  const findings = await checkConnection(pooled(async () => live));
  expect(findings.map(({ check, status }) => `${check} ${status}`)).toEqual([
    "clock ok",
    "messages warning",
    "locks warning",
  ]);
  expect(findings[1]?.advice).toContain("pooler");
  expect(isClosed).toBe(true);
});

it("warns when there is no connection left", async () => {
  const findings = await checkConnection(pooled(() => Promise.reject(new Error("too many connections"))));
  expect(findings.at(-1)).toMatchObject({
    check: "locks",
    status: "warning",
    message: "A connection of its own cannot be had: too many connections",
  });
});
