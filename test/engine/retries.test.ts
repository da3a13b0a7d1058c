/** When attempts are made, and how many, by whose policy; in virtual time, for what databases do about it is another matter. */
import { describe, expect, it } from "vitest";
import {
  defineActivity,
  defineWorkflow,
  RetryLaterError,
  type RetryPolicy,
  type WorkflowContext,
} from "../../src/index.ts";
import { startTestApp } from "../../src/testing/index.ts";

const swallow = async (call: Promise<unknown>): Promise<void> => void (await call.catch(() => {}));

describe("the policy of an activity", () => {
  it("is taken field by field from the call, the activity, the workflow, the app, in that order", async () => {
    const attempts: Record<string, number> = {};
    const body = (ctx: { activityId: string }): never => {
      attempts[ctx.activityId] = (attempts[ctx.activityId] ?? 0) + 1;
      throw new Error("no");
    };
    const plain = defineActivity("plain", body);
    const own = defineActivity("own", body, { retry: { maxAttempts: 4 } });
    const calls = async (ctx: WorkflowContext): Promise<void> => {
      await swallow(plain(ctx));
      await swallow(own(ctx));
      await swallow(own.with({ retry: { maxAttempts: 2 } })(ctx));
      await swallow(own.with({ retry: false })(ctx));
    };
    const narrow = defineWorkflow("narrow", calls, { retry: { maxAttempts: 5 } });
    const wide = defineWorkflow("wide", (ctx) => swallow(plain.with({ id: "wide" })(ctx)));
    await using app = await startTestApp({ workflows: [narrow, wide], defaultRetryPolicy: { maxAttempts: 6 } });
    await (await narrow.start(app)).result();
    await (await wide.start(app)).result();
    expect(attempts).toEqual({ "plain:1": 5, "own:1": 4, "own:2": 2, "own:3": 1, wide: 6 });
  });

  /** Seconds between the first attempt and each. */
  async function scheduleOf(retry: RetryPolicy, error: () => Error = () => new Error("no")): Promise<number[]> {
    const times: number[] = [];
    const failing = defineActivity(
      "failing",
      () => {
        times.push(app.now);
        throw error();
      },
      { retry },
    );
    const flow = defineWorkflow("flow", (ctx) => swallow(failing(ctx)));
    await using app = await startTestApp({ workflows: [flow] });
    await (await flow.start(app)).result();
    return times.map((time) => (time - (times[0] ?? 0)) / 1_000);
  }

  it("is, unless anything is said, three attempts that begin 100 ms apart, and then twice that", async () => {
    expect(await scheduleOf({ jitter: 0 })).toEqual([0, 0.1, 0.3]);
  });

  it("doubles waits up to ten seconds, in memory and set aside alike", async () => {
    expect(await scheduleOf({ jitter: 0, maxAttempts: 10 })).toEqual([
      0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3, 12.7, 22.7, 32.7,
    ]);
  });

  it("ends when the next attempt would come too late", async () => {
    const daily = { jitter: 0, initialInterval: "1 day", maxInterval: "1 day", maxAttempts: 100 } as const;
    expect(await scheduleOf({ ...daily, maxDuration: "3 days" })).toEqual([0, 86_400, 172_800, 259_200]);
  });

  it("waits at least as long as an error asks for", async () => {
    const busy = (): Error => new RetryLaterError("busy", 3_600_000);
    expect(await scheduleOf({ jitter: 0 }, busy)).toEqual([0, 3_600, 7_200]);
  });
});

describe("what an activity throws", () => {
  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable(new Error("gone"), {});
    revoke();
    return proxy;
  };
  const withCause = (): Error =>
    Object.defineProperty(new Error("odd"), "cause", {
      get() {
        throw new Error("not for you");
      },
    });

  it.each([
    ["has a cause that cannot be read", withCause],
    ["is a proxy that was revoked", revoked],
  ])("is a failed attempt, even if it %s", async (_, make) => {
    let attempts = 0;
    const odd = defineActivity("odd", () => {
      attempts++;
      throw make();
    });
    const flow = defineWorkflow("flow", (ctx) => odd(ctx));
    const own = defineWorkflow("own", () => {
      throw make();
    });
    await using app = await startTestApp({ workflows: [flow, own], maxConcurrentActivities: 1 });
    const handles = [await flow.start(app), await flow.start(app), await own.start(app)];
    for (const handle of handles) await expect(handle.result()).rejects.toMatchObject({ code: "WORKFLOW_FAILED" });
    expect(attempts).toBe(6);
  });

  it("is compared with classes and names only", () => {
    const policies = [
      { retryableErrors: [undefined] },
      { nonRetryableErrors: [() => {}] },
      { retryableErrors: "Error" },
    ];
    for (const retry of policies as unknown as RetryPolicy[]) {
      expect(() => defineActivity("odd", () => 1, { retry })).toThrow(
        "must be a list of classes of errors, or of their names",
      );
    }
  });
});
