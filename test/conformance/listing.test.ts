/** Which instances a listing gives, and in which pages. */
import { describe, expect, it } from "vitest";
import { defineWorkflow, type InstanceFilter, type Romancy, ValidationError } from "../../src/index.ts";
import { startApp, testDatabase } from "../support/apps.ts";

const flow = defineWorkflow("flow", async (_ctx, ..._args: unknown[]) => "done");
const other = defineWorkflow("Other_Flow", (_ctx, ..._args: unknown[]) => Promise.reject(new Error("no")), {
  version: "2",
});

async function idsOf(app: Romancy, filter: InstanceFilter): Promise<string[]> {
  return (await app.listInstances(filter)).instances.map(({ id }) => id).toSorted();
}

/** All pages, in order. */
async function pagesOf(app: Romancy, filter: InstanceFilter, between?: () => Promise<void>): Promise<string[]> {
  const seen: string[] = [];
  let pageToken: string | undefined;
  do {
    const page = await app.listInstances({ ...filter, ...(pageToken !== undefined && { pageToken }) });
    seen.push(...page.instances.map(({ id }) => id));
    pageToken = page.nextPageToken;
    await between?.();
  } while (pageToken !== undefined);
  return seen;
}

/** Rows as if made at these times, without running anything. */
async function insert(
  rows: readonly {
    readonly id: string;
    readonly at: number;
    readonly status?: string;
    readonly input?: string;
    readonly workflow?: string;
  }[],
): Promise<void> {
  const values = rows.map(({ id, at, status = "completed", input = "[]", workflow = "old" }) => {
    const end = ["completed", "failed"].includes(status) ? at + 5 : null;
    return [id, workflow, status, input, id, at, at + 5, end];
  });
  await testDatabase().rows(
    `insert into romancy_instances (id, workflow, status, input, root_id, created_at, updated_at, completed_at)
     values ${values.map(() => "(?, ?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
    values.flat(),
  );
}

const numbered = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `i-${String(n).padStart(3, "0")}`);

describe("a filter", () => {
  it("by status, workflow and version takes one or several", async () => {
    const app = await startApp({ workflows: [flow, other] });
    for (const id of ["a", "b"]) await (await flow.with({ id }).start(app)).result();
    await (await other.with({ id: "c" }).start(app)).result().catch(() => {});
    await insert([{ id: "d", at: 1, status: "cancelled" }]);
    expect(await idsOf(app, {})).toEqual(["a", "b", "c", "d"]);
    expect(await idsOf(app, { status: "completed" })).toEqual(["a", "b"]);
    expect(await idsOf(app, { status: ["failed", "cancelled", "failed"] })).toEqual(["c", "d"]);
    expect(await idsOf(app, { workflow: "flow" })).toEqual(["a", "b"]);
    expect(await idsOf(app, { workflow: ["old", "Other_Flow"] })).toEqual(["c", "d"]);
    expect(await idsOf(app, { workflow: ["flow", "old"], status: ["failed", "cancelled"] })).toEqual(["d"]);
    expect(await idsOf(app, { version: "2" })).toEqual(["c"]);
    expect(await idsOf(app, { workflow: "nobody" })).toEqual([]);
    const many = Array.from({ length: 40 }, (_, n) => `w-${n}`);
    expect(await idsOf(app, { workflow: [...many, "old"] })).toEqual(["d"]);
  });

  it("by a text takes it literally, and finds it in ids and workflows", async () => {
    const app = await startApp();
    const ids = [
      "100%",
      "100x",
      "a_b",
      "axb",
      "ORD-1",
      "ord-2",
      "\u{10ffff}",
      "\u{d7ff}x",
      "\u{e000}",
      "back\\slash",
      "it's",
    ];
    await insert(ids.map((id) => ({ id, at: 1, workflow: id === "axb" ? "Under_Score" : "old" })));
    expect(await idsOf(app, { search: "0%" })).toEqual(["100%"]);
    expect(await idsOf(app, { search: "_" })).toEqual(["a_b", "axb"]);
    expect(await idsOf(app, { search: "oRD-" })).toEqual(["ORD-1", "ord-2"]);
    expect(await idsOf(app, { search: "\\" })).toEqual(["back\\slash"]);
    expect(await idsOf(app, { search: "'" })).toEqual(["it's"]);
    expect(await idsOf(app, { idPrefix: "ORD" })).toEqual(["ORD-1"]);
    expect(await idsOf(app, { idPrefix: "100" })).toEqual(["100%", "100x"]);
    expect(await idsOf(app, { idPrefix: "%" })).toEqual([]);
    expect(await idsOf(app, { idPrefix: "\u{d7ff}" })).toEqual(["\u{d7ff}x"]);
    expect(await idsOf(app, { idPrefix: "a", search: "score" })).toEqual(["axb"]);
  });

  it("by tags wants all of them, as they are", async () => {
    const app = await startApp({ workflows: [flow] });
    const tags: Record<string, Record<string, string>> = {
      both: { team: "a", region: "eu" },
      one: { team: "a" },
      case: { team: "A" },
      space: { team: "a " },
      odd: { 'q"u.o\\te': "it's", "": "ä", zero: "\0" },
      half: { team: "\ud800" },
      none: {},
    };
    for (const [id, own] of Object.entries(tags)) await flow.with({ id, tags: own }).start(app);
    expect(await idsOf(app, { tags: { team: "a" } })).toEqual(["both", "one"]);
    expect(await idsOf(app, { tags: { team: "a", region: "eu" } })).toEqual(["both"]);
    expect(await idsOf(app, { tags: { team: "eu" } })).toEqual([]);
    expect(await idsOf(app, { tags: { 'q"u.o\\te': "it's" } })).toEqual(["odd"]);
    expect(await idsOf(app, { tags: { "": "ä" } })).toEqual(["odd"]);
    expect((await idsOf(app, { tags: {} })).length).toBe(7);
  });

  it("by times takes the first moment in and leaves the last one out", async () => {
    const app = await startApp();
    await insert([
      { id: "a", at: 100 },
      { id: "b", at: 200 },
      { id: "c", at: 300, status: "waiting" },
    ]);
    const time = (at: number): Date => new Date(at);
    expect(await idsOf(app, { createdFrom: time(200) })).toEqual(["b", "c"]);
    expect(await idsOf(app, { createdBefore: time(200) })).toEqual(["a"]);
    expect(await idsOf(app, { createdFrom: time(100), createdBefore: time(300) })).toEqual(["a", "b"]);
    expect(await idsOf(app, { createdFrom: time(100), createdBefore: time(300), order: "oldest" })).toEqual(["a", "b"]);
    expect(await idsOf(app, { updatedFrom: time(205) })).toEqual(["b", "c"]);
    expect(await idsOf(app, { updatedBefore: time(205) })).toEqual(["a"]);
    expect(await idsOf(app, { completedFrom: time(0) })).toEqual(["a", "b"]);
    expect(await idsOf(app, { completedFrom: time(105), completedBefore: time(205) })).toEqual(["a"]);
    expect(await idsOf(app, { completedBefore: time(1_000), status: "waiting" })).toEqual([]);
  });

  it("by parent and by root finds what belongs together", async () => {
    const leaf = defineWorkflow("leaf", () => 1);
    const child = defineWorkflow("child", async (ctx, name: string) => leaf.with({ id: `leaf-${name}` })(ctx));
    const parent = defineWorkflow("parent", async (ctx, rest: number): Promise<unknown> => {
      await child.with({ id: `child-${rest}` })(ctx, String(rest));
      return rest > 0 ? ctx.recur(rest - 1) : rest;
    });
    const app = await startApp({ workflows: [parent, child, leaf] });
    const handle = await parent.with({ id: "parent" }).start(app, 1);
    await handle.result();
    await (await leaf.with({ id: "stranger" }).start(app)).result();
    const tree = await idsOf(app, { rootId: "parent" });
    expect(tree).toHaveLength(6);
    expect(tree).toEqual(expect.arrayContaining(["parent", "child-0", "child-1", "leaf-0", "leaf-1"]));
    expect(await pagesOf(app, { rootId: "parent", limit: 1 })).toHaveLength(6);
    expect(await idsOf(app, { parentId: "parent" })).toEqual(["child-1"]);
    expect(await idsOf(app, { parentId: "parent", rootId: "stranger" })).toEqual([]);
    expect(await idsOf(app, { rootId: "parent", workflow: ["leaf", "child"], status: "completed" })).toHaveLength(4);
    expect(await idsOf(app, { rootId: "child-1" })).toEqual([]);
  });
});

describe("a filter by input", () => {
  async function startAll(inputs: Readonly<Record<string, readonly unknown[]>>): Promise<Romancy> {
    const app = await startApp({ workflows: [flow] });
    for (const [id, args] of Object.entries(inputs)) await flow.with({ id }).start(app, ...args);
    return app;
  }

  it("looks into arguments, objects and lists", async () => {
    const app = await startAll({
      one: ["ORD-1", { items: [{ sku: "A", count: 2 }, { sku: "B" }], total: 10 }],
      two: ["ORD-2", { items: [{ sku: "B" }], total: 10.0 }],
      object: [{ orderId: "ORD-1", "with-dash": { $deep_1: true }, naïve: "ü" }],
      nothing: [],
    });
    expect(await idsOf(app, { input: { "0": "ORD-1" } })).toEqual(["one"]);
    expect(await idsOf(app, { input: { "1.items.0.sku": "A" } })).toEqual(["one"]);
    expect(await idsOf(app, { input: { "1.items.0.sku": "B" } })).toEqual(["two"]);
    expect(await idsOf(app, { input: { "1.total": 10 } })).toEqual(["one", "two"]);
    expect(await idsOf(app, { input: { "1.total": 10, "1.items.0.count": 2 } })).toEqual(["one"]);
    expect(await idsOf(app, { input: { orderId: "ORD-1" } })).toEqual(["object"]);
    expect(await idsOf(app, { input: { "with-dash.$deep_1": true } })).toEqual(["object"]);
    expect(await idsOf(app, { input: { naïve: "ü" } })).toEqual(["object"]);
    // Neither a list that has it, nor an object that has it as a member's name.
    expect(await idsOf(app, { input: { "1.items": "A" } })).toEqual([]);
    expect(await idsOf(app, { input: { "1.items.sku": "A" } })).toEqual([]);
    expect(await idsOf(app, { input: { "0.0": "ORD-1" } })).toEqual([]);
    expect(await idsOf(app, { input: { "0.orderId.0": "ORD-1" } })).toEqual([]);
  });

  it("tells texts, numbers, booleans and null apart", async () => {
    const values: Record<string, unknown> = {
      number: 1,
      float: 1.5,
      tiny: 1e-13,
      tinier: 2e-13,
      large: 9007199254740991,
      text: "1",
      word: "abc",
      upper: "ABC",
      space: "abc ",
      yes: true,
      no: false,
      null: null,
      list: [1, "1", null],
      nul: "\0",
      half: "\ud800",
      escaped: '"\\\n\u0001/é𝄞',
    };
    const app = await startAll(Object.fromEntries(Object.entries(values).map(([id, v]) => [id, [{ v }]])));
    await flow.with({ id: "missing" }).start(app, {});
    const found = (v: string | number | boolean | null): Promise<string[]> => idsOf(app, { input: { v } });
    expect(await found(1)).toEqual(["number"]);
    expect(await found(1.5)).toEqual(["float"]);
    expect(await found(1e-13)).toEqual(["tiny"]);
    expect(await found(9007199254740991)).toEqual(["large"]);
    expect(await found("1")).toEqual(["text"]);
    expect(await found("abc")).toEqual(["word"]);
    expect(await found("ABC")).toEqual(["upper"]);
    expect(await found(true)).toEqual(["yes"]);
    expect(await found(false)).toEqual(["no"]);
    expect(await found(null)).toEqual(["null"]);
    expect(await found('"\\\n\u0001/é𝄞')).toEqual(["escaped"]);
    expect(await found("x")).toEqual([]);
    expect(await idsOf(app, { input: { "v.2": null } })).toEqual(["list"]);
  });

  it("finds plain values beside rich ones", async () => {
    const when = new Date("2026-01-02T03:04:05.678Z");
    const app = await startAll({
      rich: [{ orderId: "ORD-1", when, big: 12n }],
      plain: [{ orderId: "ORD-2", when: when.toISOString() }],
    });
    expect(await idsOf(app, { input: { orderId: "ORD-1" } })).toEqual(["rich"]);
    expect(await idsOf(app, { input: { when: when.toISOString() } })).toEqual(["plain", "rich"]);
    expect(await idsOf(app, { input: { big: "12" } })).toEqual(["rich"]);
  });
});

describe("pages", () => {
  it("go on behind the last instance, though all are of one millisecond and more come in between", async () => {
    const app = await startApp();
    const ids = numbered(57);
    await insert(ids.map((id) => ({ id, at: 1_000 })));
    for (const filter of [{}, { workflow: "old" }, { status: "completed" as const }, { search: "i-" }]) {
      let more = 0;
      const seen = await pagesOf(app, { ...filter, limit: 10 }, async () => {
        const name = `${JSON.stringify(filter)}-${more++}`;
        // Newer, and of the same millisecond behind and before the page's end.
        const later = [
          { id: `new-${name}`, at: 2_000 },
          { id: `z-${name}`, at: 1_000 },
        ];
        if (more < 4) await insert(later);
      });
      expect(seen.filter((id) => id.startsWith("i-"))).toEqual(ids.toReversed());
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it("can be read oldest first", async () => {
    const app = await startApp();
    const ids = numbered(23);
    await insert(ids.map((id, n) => ({ id, at: 1_000 + Math.floor(n / 5) })));
    const oldest = { order: "oldest", limit: 4 } as const;
    expect(await pagesOf(app, oldest)).toEqual(ids);
    expect(await pagesOf(app, { ...oldest, createdFrom: new Date(1_001), createdBefore: new Date(1_003) })).toEqual(
      ids.slice(5, 15),
    );
    expect(await pagesOf(app, { limit: 4, status: ["completed", "failed"], workflow: ["old", "none"] })).toEqual(
      ids.toReversed(),
    );
  });

  it("do not show another instance when the one at the end has changed", async () => {
    const app = await startApp();
    const ids = numbered(9);
    await insert(ids.map((id) => ({ id, at: 1_000, status: "waiting" })));
    const first = await app.listInstances({ status: "waiting", limit: 3 });
    await testDatabase().exec("update romancy_instances set status = 'completed' where id = 'i-006'");
    const rest = await app.listInstances({ status: "waiting", pageToken: String(first.nextPageToken) });
    expect(rest.instances.map(({ id }) => id)).toEqual(ids.slice(0, 6).toReversed());
    expect(rest.hasMore).toBe(false);
  });
});

describe("a filter that makes no sense", () => {
  it("is refused, and says what to do", async () => {
    const app = await startApp();
    const wrong: readonly [filter: object, says: RegExp][] = [
      [{ stauts: "failed" }, /no "stauts".*status/],
      [{ status: "sleepy" }, /sleepy.*pending/],
      [{ status: [] }, /Leave it out/],
      [{ workflow: [""] }, /workflow/],
      [{ workflow: 7 }, /workflow/],
      [{ search: "" }, /search/],
      [{ search: "a\0" }, /NUL/],
      [{ idPrefix: "\u{10ffff}" }, /idPrefix/],
      [{ version: 1 }, /version/],
      [{ createdFrom: "2026-01-01" }, /createdFrom.*Date/],
      [{ updatedBefore: new Date(Number.NaN) }, /updatedBefore/],
      [{ completedFrom: Object.create(null) }, /completedFrom.*Date/],
      [{ tags: ["a"] }, /tags/],
      [{ tags: { a: 1 } }, /tags/],
      [{ tags: { a: "\ud800" } }, /tags/],
      [{ input: { a: "\ud800" } }, /at a/],
      [{ parentId: "\ud800" }, /parentId/],
      [{ input: "x" }, /input/],
      [{ input: { "": 1 } }, /path ""/],
      [{ input: { "a..b": 1 } }, /a\.\.b/],
      [{ input: { 'a"b': 1 } }, /path/],
      [{ input: { "a') or 1 = 1 --": 1 } }, /path/],
      [{ input: { "$[0]": 1 } }, /path/],
      [{ input: { "01": 1 } }, /path/],
      [{ input: { a: [1] } }, /at a/],
      [{ input: { a: Number.NaN } }, /at a/],
      [{ input: Object.fromEntries(numbered(11).map((_, n) => [`a${n}`, 1])) }, /10 at most/],
      [{ order: "random" }, /newest or oldest/],
      [{ limit: 0 }, /1 to 1,000/],
      [{ limit: 1_001 }, /1 to 1,000/],
      [{ pageToken: "next" }, /nextPageToken/],
      [{ pageToken: 5 }, /nextPageToken/],
    ];
    for (const [filter, says] of wrong) {
      const error = await app.listInstances(filter as InstanceFilter).catch((thrown: unknown) => thrown);
      expect(error, JSON.stringify(filter)).toBeInstanceOf(ValidationError);
      expect((error as Error).message).toMatch(says);
    }
  });
});
