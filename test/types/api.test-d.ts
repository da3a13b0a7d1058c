import type { RequestListener, Server } from "node:http";
import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  type ActivityContext,
  type CompensationContext,
  type Duration,
  defineActivity,
  defineCompensation,
  defineWorkflow,
  Romancy,
  toNodeListener,
  type WorkflowContext,
  type WorkflowHandle,
} from "../../src/index.ts";

declare const ctx: WorkflowContext;
declare const app: Romancy;

describe("activities", () => {
  const sync = defineActivity("sync", (_, id: string, count: number) => ({ id, count }));
  const asynchronous = defineActivity("async", async (context) => context.attempt);

  test("take the arguments of their function and promise its result", () => {
    expectTypeOf(sync(ctx, "a", 1)).toEqualTypeOf<Promise<{ id: string; count: number }>>();
    expectTypeOf(asynchronous(ctx)).toEqualTypeOf<Promise<number>>();
    expectTypeOf(sync.with({ timeout: "5s" })(ctx, "a", 1)).toEqualTypeOf<Promise<{ id: string; count: number }>>();
    expectTypeOf(sync.fn).parameters.toEqualTypeOf<[ctx: ActivityContext, id: string, count: number]>();
  });

  test("refuse what does not fit", () => {
    // @ts-expect-error an argument is missing
    void sync(ctx, "a");
    // @ts-expect-error an argument is of the wrong type
    void sync(ctx, "a", "b");
    // @ts-expect-error an argument too many
    void asynchronous(ctx, 1);
    // @ts-expect-error an app is not a workflow's context
    void asynchronous(app);
    // @ts-expect-error an activity's context is not a workflow's
    defineActivity("outer", (inner) => asynchronous(inner));
    // @ts-expect-error not an option
    sync.with({ compensate: true });
  });

  test("check their schemas against the function", () => {
    defineActivity("ok", (_, n: number) => String(n), { input: z.number(), output: z.string() });
    defineActivity("tuple", (_, n: number, s: string) => s.repeat(n), { input: [z.number(), z.string()] });
    // @ts-expect-error the schema gives another type than the function takes
    defineActivity("wrong", (_, n: number) => n, { input: z.string() });
    // @ts-expect-error the schema gives another type than the function returns
    defineActivity("wrong", (_, n: number) => n, { output: z.string() });
  });
});

describe("workflows", () => {
  const order = defineWorkflow("order", async (context, id: string, amount: number) => {
    await context.sleep("3 days");
    return { id, amount };
  });

  test("start with the arguments of their function, and their handle has its result", () => {
    expectTypeOf(order.start(app, "a", 1)).toEqualTypeOf<Promise<WorkflowHandle<{ id: string; amount: number }>>>();
    expectTypeOf(order.with({ id: "x" }).start).parameters.toEqualTypeOf<Parameters<typeof order.start>>();
    expectTypeOf(app.handle(order, "x").result()).toEqualTypeOf<Promise<{ id: string; amount: number }>>();
  });

  test("refuse what does not fit", () => {
    // @ts-expect-error an argument is missing
    void order.start(app, "a");
    // @ts-expect-error the app is missing
    void order.start("a", 1);
    // @ts-expect-error an option of that name does not exist
    order.with({ identity: "x" });
    // @ts-expect-error a tag is a text
    order.with({ tags: { a: 1 } });
  });

  test("may be sync, take nothing and return nothing", () => {
    const nothing = defineWorkflow("nothing", () => {});
    expectTypeOf(nothing.start(app)).toEqualTypeOf<Promise<WorkflowHandle<void>>>();
    expectTypeOf(new Romancy({ database: ":memory:", workflows: [nothing, order] })).toEqualTypeOf<Romancy>();
  });
});

describe("durations", () => {
  test("are numbers or texts with a known unit", () => {
    expectTypeOf<"5s">().toExtend<Duration>();
    expectTypeOf<"3 days">().toExtend<Duration>();
    expectTypeOf<"1.5h">().toExtend<Duration>();
    expectTypeOf<"soon">().not.toExtend<Duration>();
    expectTypeOf<"5 parsecs">().not.toExtend<Duration>();
    // @ts-expect-error not a duration
    void ctx.sleep("soon");
  });
});

describe("a compensation", () => {
  const undo = defineCompensation("undo", (context: CompensationContext<{ id: string }>, order: string) => {
    expectTypeOf(context.result.id).toBeString();
    return order;
  });
  const untyped = defineCompensation("untyped", (context, order: string) => {
    expectTypeOf(context.result).toBeUnknown();
    return order;
  });

  test("fits an activity of its arguments, or more, and its result", () => {
    defineActivity("a", async (_, order: string, n: number) => ({ id: order + n }), { compensation: undo });
    defineActivity("b", async (_, order: string) => order.length, { compensation: untyped });
    // @ts-expect-error another result
    defineActivity("c", async (_, order: string) => order.length, { compensation: undo });
    // @ts-expect-error another argument
    defineActivity("d", async (_, order: number) => ({ id: `${order}` }), { compensation: undo });
  });

  test("that is a function knows the activity's types", () => {
    defineActivity("a", async (_, order: string) => ({ total: order.length }), {
      compensation: (context, order) => {
        expectTypeOf(order).toBeString();
        expectTypeOf(context.result.total).toBeNumber();
      },
    });
    ctx.addCompensation(untyped, "o-1");
    ctx.addCompensation((_, n: number) => n, 3);
    // @ts-expect-error another argument
    ctx.addCompensation(untyped, 3);
  });
});

describe("the context", () => {
  test("gives values of plain types", () => {
    expectTypeOf(ctx.now()).toBeNumber();
    expectTypeOf(ctx.random()).toBeNumber();
    expectTypeOf(ctx.uuid()).toBeString();
    expectTypeOf(ctx.sleepUntil(new Date())).toEqualTypeOf<Promise<void>>();
  });
});

describe("HTTP", () => {
  test("is a handler of the Web's standard, and a server of Node's", () => {
    expectTypeOf(app.fetch).toEqualTypeOf<(request: Request) => Promise<Response>>();
    expectTypeOf(app.listen(0)).toEqualTypeOf<Promise<Server>>();
    expectTypeOf(toNodeListener(app.fetch)).toExtend<RequestListener>();
    void new Romancy({
      database: ":memory:",
      http: { authorize: (request) => request.headers.has("x"), timeout: "5s" },
    });
    // @ts-expect-error an answer is a boolean
    void new Romancy({ database: ":memory:", http: { authorize: () => "yes" } });
  });
});
