import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  ActivityError,
  ActivityTimeoutError,
  defineActivity,
  defineWorkflow,
  MisplacedCallError,
  OperationIdConflictError,
  RetryLaterError,
  retryPolicies,
  SerializationError,
  TerminalError,
  ValidationError,
  type WorkflowContext,
  WorkflowFailedError,
} from "../../src/index.ts";
import { startApp } from "../support/apps.ts";
import { gate, until } from "../support/wait.ts";

const quick = retryPolicies.fixed(3, 1);

describe("an activity", () => {
  it("takes several arguments and may be sync or async", async () => {
    const add = defineActivity("add", (_, a: number, b: number) => a + b);
    const greet = defineActivity("greet", async (_, name: string, mark: string) => `Hello ${name}${mark}`);
    const both = defineWorkflow("both", async (ctx) => [await add(ctx, 1, 2), await greet(ctx, "Ada", "!")]);
    const app = await startApp({ workflows: [both] });
    expect(await (await both.start(app)).result()).toEqual([3, "Hello Ada!"]);
  });

  it("gives the workflow what was stored, live as on replay", async () => {
    const original = { when: new Date(5), tags: new Set(["a"]), big: 10n, none: undefined, nothing: null, minus: -0 };
    const make = defineActivity("make", () => original);
    let seen: unknown;
    const look = defineWorkflow("look", async (ctx) => {
      seen = await make(ctx);
    });
    const app = await startApp({ workflows: [look] });
    await (await look.start(app)).result();
    expect(seen).toStrictEqual(original);
    expect(seen).not.toBe(original);
  });

  it("is retried by its policy, with each failed attempt in the history", async () => {
    const numbers: number[] = [];
    const flaky = defineActivity(
      "flaky",
      (ctx) => {
        numbers.push(ctx.attempt);
        if (ctx.attempt < 3) throw new RangeError(`attempt ${ctx.attempt}`);
        return ctx.idempotencyKey;
      },
      { retry: quick },
    );
    const flow = defineWorkflow("flow", (ctx) => flaky(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    expect(await handle.result()).toBe(`${handle.id}/flaky:1`);
    expect(numbers).toEqual([1, 2, 3]);
    const history = await app.getHistory(handle.id);
    expect(history.map(({ kind }) => kind)).toEqual(["attempt_failed", "attempt_failed", "activity_completed"]);
    const [first] = history;
    expect(first).toMatchObject({ attempt: 1, error: expect.objectContaining({ message: "attempt 1" }) });
  });

  it("fails with ActivityError when its attempts are used up, its own error as the cause", async () => {
    class CardError extends Error {
      override readonly name = "CardError";
      readonly reason = "expired";
    }
    const broken = defineActivity(
      "broken",
      () => {
        throw new CardError("no", { cause: new TypeError("below") });
      },
      { retry: quick },
    );
    let caught: unknown;
    const flow = defineWorkflow("flow", async (ctx) => {
      await broken(ctx).catch((error: unknown) => {
        caught = error;
        throw error;
      });
    });
    const app = await startApp({ workflows: [flow] });
    const failure: unknown = await (await flow.start(app)).result().catch((error: unknown) => error);
    expect(caught).toBeInstanceOf(ActivityError);
    expect(caught).toMatchObject({ activity: "broken", activityId: "broken:1", attempts: 3, code: "ACTIVITY_FAILED" });
    const { cause } = caught as ActivityError;
    expect(cause).toMatchObject({ name: "CardError", message: "no", reason: "expired" });
    expect((cause as Error).cause).toBeInstanceOf(TypeError);
    expect(failure).toBeInstanceOf(WorkflowFailedError);
    const reported = (failure as WorkflowFailedError).cause;
    expect(reported).toBeInstanceOf(ActivityError);
    expect(reported).toMatchObject({ attempts: 3, message: (caught as Error).message });
  });

  it.each([
    ["TerminalError", new TerminalError("stop"), {}],
    ["a class listed as not retryable", new RangeError("stop"), { nonRetryableErrors: [RangeError] }],
    [
      "a name listed as not retryable",
      Object.assign(new Error("stop"), { name: "Stop" }),
      { nonRetryableErrors: ["Stop"] },
    ],
    ["one that is not listed as retryable", new RangeError("stop"), { retryableErrors: [TypeError] }],
    ["a cause that is not retryable", new Error("outer", { cause: new TerminalError("stop") }), {}],
  ])("is not retried for %s", async (_, error, policy) => {
    let attempts = 0;
    const stop = defineActivity(
      "stop",
      () => {
        attempts++;
        throw error;
      },
      { retry: { ...quick, ...policy } },
    );
    const flow = defineWorkflow("flow", (ctx) => stop(ctx));
    const app = await startApp({ workflows: [flow] });
    await expect((await flow.start(app)).result()).rejects.toThrow("after 1 attempt");
    expect(attempts).toBe(1);
  });

  it("is set aside, waiting, during a long back-off", async () => {
    const slow = defineActivity("slow", () => Promise.reject(new Error("no")), { retry: retryPolicies.fixed(2, "1h") });
    const flow = defineWorkflow("flow", (ctx) => slow(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await until(async () => (await handle.status()) === "waiting");
    const { waitingFor, workerId } = await handle.describe();
    expect(waitingFor).toMatchObject([{ kind: "retry", operationId: "slow:1" }]);
    expect(workerId).toBeUndefined();
  });

  it("waits as long as its error says, set aside if that is long, however short the policy's waits are", async () => {
    const busy = defineActivity(
      "busy",
      (ctx) => {
        throw new RetryLaterError("the service is busy", ctx.attempt === 1 ? 40 : 3_600_000);
      },
      { retry: quick },
    );
    const flow = defineWorkflow("flow", (ctx) => busy(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    await until(async () => (await handle.status()) === "waiting");
    const failed = (await app.getHistory(handle.id)).flatMap((entry) =>
      entry.kind === "attempt_failed" ? [entry] : [],
    );
    expect(failed.map(({ at, retryAt }) => retryAt.getTime() - at.getTime())).toEqual([40, 3_600_000]);
    expect((await handle.describe()).waitingFor).toMatchObject([{ kind: "retry", until: failed[1]?.retryAt }]);
    expect(failed[0]?.error).toBeInstanceOf(RetryLaterError);
  });

  it("times out: the signal aborts, a late result is discarded, and the next attempt is made", async () => {
    const late = gate();
    const reasons: unknown[] = [];
    const slow = defineActivity(
      "slow",
      async (ctx) => {
        if (ctx.attempt === 2) return "second";
        ctx.signal.addEventListener("abort", () => reasons.push(ctx.signal.reason));
        await late.opened;
        return "first";
      },
      { timeout: 20, retry: quick },
    );
    const flow = defineWorkflow("flow", (ctx) => slow(ctx));
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    expect(await handle.result()).toBe("second");
    late.open();
    expect(reasons).toEqual([expect.any(ActivityTimeoutError)]);
    const [attempt] = await app.getHistory(handle.id);
    expect(attempt).toMatchObject({ kind: "attempt_failed", error: expect.any(ActivityTimeoutError) });
  });

  it("may have a time limit of months, longer than a timer of Node can be", async () => {
    const later = new Promise((resolve) => setTimeout(resolve, 20, "in time"));
    const slow = defineActivity("slow", () => later, { timeout: "60 days", retry: retryPolicies.none });
    const flow = defineWorkflow("flow", (ctx) => slow(ctx));
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toBe("in time");
  });

  it("cannot be called inside an activity, by its context or by the workflow's", async () => {
    const inner = defineActivity("inner", () => 1);
    const outer = defineActivity("outer", async (ctx, outside: { ctx: WorkflowContext } | undefined) => {
      await inner(outside?.ctx ?? (ctx as unknown as WorkflowContext));
    });
    const direct = defineWorkflow("direct", (ctx) => outer.with({ retry: false })(ctx, undefined));
    const leaked = defineWorkflow("leaked", async (ctx) => {
      const leak = defineActivity("leak", () => inner(ctx), { retry: false });
      await leak(ctx);
    });
    const app = await startApp({ workflows: [direct, leaked] });
    for (const flow of [direct, leaked]) {
      const failure = await (await flow.start(app)).result().catch((error: unknown) => error);
      expect(((failure as Error).cause as Error).cause).toBeInstanceOf(MisplacedCallError);
    }
    await expect(inner(undefined as unknown as WorkflowContext)).rejects.toThrow(MisplacedCallError);
  });

  it("keeps the id it is given, which must be new", async () => {
    const step = defineActivity("step", (ctx) => ctx.activityId);
    const flow = defineWorkflow("flow", async (ctx) => {
      const ids = [await step(ctx), await step.with({ id: "mine" })(ctx), await step(ctx)];
      const conflict = await step
        .with({ id: "mine" })(ctx)
        .catch((error: unknown) => error);
      return { ids, refused: conflict instanceof OperationIdConflictError };
    });
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toEqual({ ids: ["step:1", "mine", "step:2"], refused: true });
  });

  it("fails clearly, once, when its result cannot be stored", async () => {
    let attempts = 0;
    const bad = defineActivity("bad", () => {
      attempts++;
      return { order: { callback: () => {} } };
    });
    const flow = defineWorkflow("flow", async (ctx) => void (await bad(ctx)));
    const app = await startApp({ workflows: [flow] });
    const failure = await (await flow.start(app)).result().catch((error: unknown) => error);
    const { cause } = (failure as Error).cause as Error;
    expect(cause).toBeInstanceOf(SerializationError);
    expect(cause).toMatchObject({ path: "order.callback" });
    expect((cause as Error).message).toContain("activity bad:1");
    expect(attempts).toBe(1);
  });

  it("refuses a result that is too large, before anything is written", async () => {
    const large = defineActivity("large", () => "x".repeat(2_000), { retry: false });
    const flow = defineWorkflow("flow", async (ctx) => (await large(ctx)).length);
    const app = await startApp({ workflows: [flow], maxValueBytes: 1_000 });
    await expect((await flow.start(app)).result()).rejects.toThrow("more than the limit of 1000");
  });

  it("checks input and output by their schemas", async () => {
    const attempts = { input: 0, output: 0 };
    const typed = defineActivity(
      "typed",
      (_, amount: number) => {
        attempts.input++;
        return amount;
      },
      { input: z.number().positive(), retry: quick },
    );
    const loose = defineActivity(
      "loose",
      () => {
        attempts.output++;
        return attempts.output;
      },
      { output: z.number().min(2), retry: quick },
    );
    const flow = defineWorkflow("flow", async (ctx, amount: number) => {
      await loose(ctx);
      return typed(ctx, amount);
    });
    const app = await startApp({ workflows: [flow] });
    const failure = await (await flow.start(app, -1)).result().catch((error: unknown) => error);
    expect(((failure as Error).cause as Error).cause).toBeInstanceOf(ValidationError);
    expect(attempts).toEqual({ input: 0, output: 2 });
  });

  it("runs no more bodies at once than allowed", async () => {
    let running = 0;
    let most = 0;
    const step = defineActivity("step", async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    });
    const flow = defineWorkflow("flow", async (ctx) => {
      await Promise.all(Array.from({ length: 20 }, () => step(ctx)));
    });
    const app = await startApp({ workflows: [flow], maxConcurrentActivities: 3 });
    await (await flow.start(app)).result();
    expect(most).toBe(3);
  });

  it("refuses settings that make no sense when it is defined", () => {
    expect(() => defineActivity("", () => 1)).toThrow(ValidationError);
    expect(() => defineActivity("a", () => 1, { retry: { maxAttempts: 0 } })).toThrow("maxAttempts");
    expect(() => defineActivity("a", () => 1, { timeout: -1 })).toThrow("not a duration");
    expect(() => defineActivity("a", () => 1).with({ id: "" })).toThrow(ValidationError);
  });
});
