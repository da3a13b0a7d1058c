/** What calls of apps and contexts cannot be told: refused, before anything is done. */
import { describe, expect, it } from "vitest";
import { defineActivity, defineWorkflow, InstanceNotFoundError, ValidationError } from "../../src/index.ts";
import { startApp } from "../support/apps.ts";

/** The message of a call that is refused, or what it was taken as. */
async function refusal(call: () => unknown): Promise<unknown> {
  try {
    return ["taken", await call()];
  } catch (error) {
    return error instanceof ValidationError ? error.message : error;
  }
}

const MESSAGE = 'The options of a message have no "meta". They can have: metadata, id.';
const NO_MESSAGE = "The options of a message must be an object.";

describe("options of calls", () => {
  it("of an app have no names but those that are known", async () => {
    const app = await startApp();
    const event = { type: "paid", source: "/test", data: 1 };
    expect(await refusal(() => app.sendEvent(event, { instance: "a" } as never))).toBe(
      'The options of sendEvent have no "instance". They can have: instanceId.',
    );
    expect(await refusal(() => app.sendEvent(event, "a" as never))).toBe("The options of sendEvent must be an object.");
    expect(await refusal(() => app.publish("news", 1, { meta: {} } as never))).toBe(MESSAGE);
    expect(await refusal(() => app.sendTo("a", "news", 1, { meta: {} } as never))).toBe(MESSAGE);
    expect(await refusal(() => app.listen(0, { hostname: "::" } as never))).toBe(
      'The options of listen have no "hostname". They can have: host.',
    );
    for (const instanceId of [null, 7] as never[]) {
      expect(await refusal(() => app.sendEvent(event, { instanceId }))).toBe(
        `The id of instance must be a text, and was ${String(instanceId)}.`,
      );
    }
    // Of an extension nobody knows what it is.
    await app.sendEvent({ ...event, tenant: "a" }, { instanceId: undefined } as never);
    await app.publish("news", 1, { metadata: undefined, id: undefined } as never);
  });

  it("of a workflow's context have no names but those that are known", async () => {
    const flow = defineWorkflow("flow", async (ctx) => {
      await ctx.subscribe("news", "broadcast");
      const given = { meta: {} } as never;
      return [
        await refusal(() => ctx.waitEvent("paid", { timout: "1s" } as never)),
        await refusal(() => ctx.waitEvent("paid", null as never)),
        await refusal(() => ctx.receive("news", { timout: "1s" } as never)),
        await refusal(() => ctx.receive("news", 7 as never)),
        await refusal(async () => ctx.publish("news", 1, given)),
        await refusal(async () => ctx.sendTo("a", "news", 1, given)),
        await refusal(async () => ctx.publishToGroup("all", "news", 1, given)),
        await refusal(async () => ctx.publish("news", 1, null as never)),
      ];
    });
    const app = await startApp({ workflows: [flow] });
    const handle = await flow.start(app);
    expect(await handle.result()).toEqual([
      'The options of waitEvent have no "timout". They can have: timeout, key, schema.',
      "The options of waitEvent must be an object.",
      'The options of receive have no "timout". They can have: timeout, schema.',
      "The options of receive must be an object.",
      MESSAGE,
      MESSAGE,
      MESSAGE,
      NO_MESSAGE,
    ]);
    expect(await app.getHistory(handle.id)).toMatchObject([{ operationId: "subscribe:1" }]);
  });

  it("of an activity's context have no names but those that are known", async () => {
    const tell = defineActivity("tell", async (ctx) => {
      const given = { meta: {} } as never;
      return [
        await refusal(() => ctx.publish("news", 1, given)),
        await refusal(() => ctx.sendTo(ctx.instanceId, "news", 1, given)),
      ];
    });
    const flow = defineWorkflow("flow", (ctx) => tell(ctx));
    const app = await startApp({ workflows: [flow] });
    expect(await (await flow.start(app)).result()).toEqual([MESSAGE, MESSAGE]);
  });
});

describe("names and ids", () => {
  it.each([
    [undefined, "undefined"],
    [null, "null"],
    [42, "42"],
    [{ id: "a" }, "an object"],
  ])("must be texts, and not %j", async (given, shown) => {
    const flow = defineWorkflow("flow", () => 1);
    const app = await startApp({ workflows: [flow] });
    const id = given as never;
    const calls = [
      () => app.getInstance(id),
      () => app.getHistory(id),
      () => app.exportHistory(id),
      () => app.handle(flow, id),
      () => app.cancel(id),
      () => app.retry(id),
      () => app.retryCompensations(id),
      () => app.sendTo(id, "news", 1),
      ...(given === undefined ? [] : [() => flow.with({ id }).start(app)]),
    ];
    for (const call of calls) expect(await refusal(call)).toBe(`The id of instance must be a text, and was ${shown}.`);
    expect(await refusal(() => app.publish(id, 1))).toBe(`The name of channel must be a text, and was ${shown}.`);
    expect((await app.listInstances()).instances).toEqual([]);
  });

  it("that nothing has are not found", async () => {
    const app = await startApp();
    for (const id of ["", "nobody", "x".repeat(300)]) {
      await expect(app.getInstance(id)).rejects.toThrow(InstanceNotFoundError);
      await expect(app.getHistory(id)).rejects.toThrow(InstanceNotFoundError);
      await expect(app.exportHistory(id)).rejects.toThrow(InstanceNotFoundError);
    }
  });
});
