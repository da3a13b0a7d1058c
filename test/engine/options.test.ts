/** What an app cannot be told. Nothing is opened: the apps are not started. */
import { createPool } from "mysql2/promise";
import { Client, Pool } from "pg";
import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow, Romancy, ValidationError } from "../../src/index.ts";
import { recordingLogger } from "../support/apps.ts";
import { silent } from "../support/silent.ts";

const flow = defineWorkflow("flow", () => 1);
const other = defineWorkflow("other", () => 1);
const step = defineActivity("step", () => 1);

const SQLITE = { database: ":memory:" };
const POSTGRES = { database: "postgres://localhost/app" };

function open(options: unknown): Romancy {
  return new Romancy(options as never);
}

/** The message, and that it is a mistake of the options. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ValidationError);
    return (error as Error).message;
  }
  throw new Error("It was taken.");
}

describe("the options of an app", () => {
  it.each([[undefined], [null], ["workflow.db"], [[]]])("must be an object, and not %j", (options) => {
    expect(refusal(() => open(options))).toBe("The options of an app must be an object.");
  });

  it("have no names but those that are known", () => {
    const message = refusal(() => open({ ...SQLITE, workers: false }));
    expect(message).toMatch(/^The options of an app have no "workers"\. They can have: database, pool, .*, http\.$/);
    expect(refusal(() => open({ ...SQLITE, http: { authorise: () => true } }))).toBe(
      'http has no "authorise". It can have: authorize, maxBodyBytes, timeout.',
    );
    expect(refusal(() => open({ ...SQLITE, outbox: { url: "http://x" } }))).toContain('outbox has no "url"');
    expect(refusal(() => open({ ...SQLITE, outbox: { retry: { attempts: 1 } } }))).toContain(
      'outbox.retry has no "attempts"',
    );
  });

  it("may be known and undefined", () => {
    const options = { worker: undefined, pool: undefined, schema: undefined, http: { authorize: undefined } };
    expect(open({ ...SQLITE, ...options, outbox: { timeout: undefined } })).toBeInstanceOf(Romancy);
  });

  it("may have hooks and loggers of any class, which have more than is asked for", () => {
    class Loud {
      readonly name = "loud";
      debug(): void {}
      info(): void {}
      warn(): void {}
      error(): void {}
    }
    const hooks = { name: "mine", onWorkflowStart() {} };
    for (const logger of [console, silent, new Loud()]) open({ ...SQLITE, logger, hooks });
  });

  it.each([
    [{ worker: "no" }, "worker must be true or false."],
    [{ autoMigrate: 0 }, "autoMigrate must be true or false."],
    [{ listenNotify: null }, "listenNotify must be true or false."],
    [{ metrics: "yes" }, "metrics must be true or false."],
    [{ defaultRetryPolicy: true }, "defaultRetryPolicy must be a policy"],
    [{ defaultRetryPolicy: { maxAttempt: 1 } }, 'defaultRetryPolicy has no "maxAttempt"'],
    [{ outbox: { retry: 7 } }, "outbox.retry must be a policy"],
    [{ http: true }, "http must be an object."],
    [{ http: { timeout: 0 } }, "http.timeout is 0 ms"],
    [{ logger: {} }, "logger must have the methods debug, info, warn, error; it has no debug."],
    [{ logger: { ...silent, warn: undefined } }, "it has no warn."],
    [{ logger: null }, "it has no debug."],
    [{ tablePrefix: true }, "tablePrefix must be 1 to 40 letters"],
    [{ shutdownSignals: "SIGTERM" }, "shutdownSignals must be a list."],
    [{ shutdownSignals: ["SIGTREM"] }, '"SIGTREM", which is no signal'],
    [{ shutdownSignals: ["SIGKILL"] }, "no process can catch"],
    [{ shutdownSignals: ["SIGTERM", "SIGSTOP"] }, "no process can catch"],
    [{ shutdownTimeout: "30 days" }, "shutdownTimeout is 2592000000 ms"],
    [{ leaseDuration: 0 }, "leaseDuration is 0 ms; it must be 100 to 2147483647 ms."],
    [{ leaseDuration: 99 }, "leaseDuration is 99 ms"],
    [{ leaseDuration: "30 days" }, "leaseDuration is 2592000000 ms"],
    [{ leaseRenewInterval: 0 }, "leaseRenewInterval is 0 ms; it must be 10 to"],
    [{ staleWorkerCheckInterval: 0 }, "staleWorkerCheckInterval is 0 ms; it must be 10 to"],
    [{ workflows: flow }, "workflows must be a list."],
    [{ workflows: [step] }, "No workflow was given, but step."],
    [{ workflows: [undefined] }, "No workflow was given, but undefined."],
    [{ workflows: [{ name: "flow", fn: () => 1, options: {} }] }, "but an object. Give what `defineWorkflow`"],
  ])("are refused: %j", (options, message) => {
    expect(refusal(() => open({ ...SQLITE, ...options }))).toContain(message);
  });

  it("take the shortest lease that makes sense", () => {
    open({ ...SQLITE, leaseDuration: 100, staleWorkerCheckInterval: 10, shutdownTimeout: 0 });
  });
});

describe("register", () => {
  it("takes all workflows that it is given, or none", () => {
    const app = open(SQLITE);
    expect(refusal(() => app.register(flow, step as never))).toContain("but step");
    expect(refusal(() => app.register(undefined as never))).toContain("but undefined");
    const namesake = defineWorkflow("flow", () => 2);
    expect(() => app.register(other, flow, namesake)).toThrow("Two different workflows are called flow");
    app.register(namesake, namesake);
    expect(() => app.register(other, flow)).toThrow("Two different workflows are called flow");
    app.register(defineWorkflow("other", () => 2));
  });
});

describe("the option `database`", () => {
  it.each([
    [undefined, "is missing"],
    ["", "is missing"],
    [null, "is none that can be used"],
    [7, "is none that can be used"],
    [{}, "is none that can be used"],
    [new Client(), "a single connection is not enough"],
    [{ max: 10 }, "is none that can be used"],
  ])("is refused, with what can be given: %s", (database, message) => {
    const told = refusal(() => open({ database }));
    expect(told).toContain(message);
    expect(told).toContain('":memory:", a URL such as "postgres://localhost/app", or a pool of `pg` or `mysql2`');
  });

  it.each([["file:"], ["sqlite://"], ["file:a.db?mode=ro"], ["file://server/a.db"], ["file:100%.db"]])(
    "is refused before anything is made: %s",
    (database) => {
      expect(refusal(() => open({ database }))).toContain("The URL of the SQLite database");
    },
  );

  it("may be a URL object", () => {
    open({ database: new URL("postgres://localhost/app"), schema: "flows" });
    open({ database: new URL("file:///tmp/never-made.db") });
    expect(refusal(() => open({ database: new URL("file://server/a.db") }))).toContain("a host, server");
  });

  it("goes with `schema` on PostgreSQL alone", async () => {
    const pool = new Pool();
    const mysql = createPool({});
    open({ ...POSTGRES, schema: "flows" });
    open({ database: pool, schema: "flows" });
    for (const database of [":memory:", "file:a.db", "mysql://localhost/app", mysql]) {
      expect(refusal(() => open({ database, schema: "flows" }))).toContain("schema is for PostgreSQL alone");
    }
    await Promise.all([pool.end(), mysql.end()]);
  });

  it("goes with `pool` when it is the URL of a server", async () => {
    const pool = new Pool();
    open({ ...POSTGRES, pool: { max: 20, anythingOfTheDriver: 1 } });
    expect(refusal(() => open({ ...POSTGRES, pool: 20 }))).toContain("pool must be an object");
    expect(refusal(() => open({ ...SQLITE, pool: {} }))).toContain("SQLite has no pool");
    expect(refusal(() => open({ database: pool, pool: { max: 20 } }))).toContain("a pool of your own has its options");
    await pool.end();
  });
});

it("passes over what the originals had and means nothing here, and tells of it", () => {
  const logger = recordingLogger();
  const given = { database: ":memory:", logger, serviceName: "shop", outboxInterval: "1s", outbox: false };
  expect(() => new Romancy(given)).not.toThrow();
  expect(logger.lines).toMatchObject([{ level: "warn", data: { options: ["serviceName", "outboxInterval"] } }]);
});
