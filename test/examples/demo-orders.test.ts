/** What the demo takes for orders. */
import { describe, expect, it } from "vitest";
import { totalOf } from "../../examples/demo/order.ts";
import { parseOrders } from "../../examples/demo/orders.ts";

const item = { sku: "TEA", quantity: 2, price: 6.5 };

function order(id: string, changes: object = {}): object {
  return { id, customer: "Ada", card: "tok_visa", items: [item], ...changes };
}

function ids(text: string): string[] {
  return parseOrders(text).orders.map(({ id }) => id);
}

describe("layouts", () => {
  const [a, b] = [JSON.stringify(order("A")), JSON.stringify(order("B"))];

  it.each([
    ["an array on one line", `[${a},${b}]`],
    ["an array with one order per line", `[\n  ${a},\n  ${b}\n]\n`],
    ["an indented array", JSON.stringify([order("A"), order("B")], null, 2)],
    ["JSON Lines", `${a}\n${b}\n`],
    ["lines ended as on Windows", `[\r\n${a},\r\n${b}\r\n]\r\n`],
    ["a byte order mark", `\uFEFF[${a},${b}]`],
    ["brackets on the lines of orders", `[${a},\n${b}]`],
    ["a comma too many", `[\n${a},\n${b},\n]`],
    ["empty lines", `\n${a}\n\n${b}\n\n`],
  ])("reads %s", (_, text) => {
    expect(parseOrders(text)).toEqual({ orders: [order("A"), order("B")], refusals: [] });
  });

  it("reads one order over several lines", () => {
    expect(ids(JSON.stringify(order("A"), null, 2))).toEqual(["A"]);
  });

  it("takes the brackets of an array with a fault off its first and last order", () => {
    expect(parseOrders(`[${a},\noops,\n${b}]`)).toMatchObject({
      orders: [{ id: "A" }, { id: "B" }],
      refusals: [expect.stringMatching(/^line 2: not JSON: /)],
    });
  });
});

describe("refusals", () => {
  it.each([
    [{ id: "" }, "line 1: id must be a text of 1 to 100 characters on one line"],
    [{ id: 7 }, "line 1: id must be a text of 1 to 100 characters on one line"],
    [{ id: "A\u001B[2J" }, "line 1: id must be a text of 1 to 100 characters on one line"],
    [{ customer: undefined }, "line 1 (order A): customer must be a text of 1 to 100 characters on one line"],
    [{ card: 4242 }, "line 1 (order A): card must be a text of 1 to 100 characters on one line"],
    [{ items: [] }, "line 1 (order A): items must be a list of at least one item"],
    [{ items: "TEA" }, "line 1 (order A): items must be a list of at least one item"],
    [{ items: [item, null] }, "line 1 (order A): an item must be an object in braces (item 2)"],
    [
      { items: [{ ...item, quantity: 1.5 }] },
      "line 1 (order A): quantity must be a whole number of 1 or more (item 1)",
    ],
    [
      { items: [{ ...item, quantity: "2" }] },
      "line 1 (order A): quantity must be a whole number of 1 or more (item 1)",
    ],
    [
      { items: [item, { ...item, price: -1 }] },
      "line 1 (order A): price must be a number of 0 or more, with at most two decimals (item 2)",
    ],
    [
      { items: [{ ...item, price: 0.005 }] },
      "line 1 (order A): price must be a number of 0 or more, with at most two decimals (item 1)",
    ],
    [
      { items: [{ ...item, sku: " " }] },
      "line 1 (order A): sku must be a text of 1 to 100 characters on one line (item 1)",
    ],
    [{ items: [{ ...item, quantity: 2 ** 52 }] }, "line 1 (order A): its total is too large to be exact"],
  ])("refuses %j", (changes, refusal) => {
    expect(parseOrders(JSON.stringify([order("A", changes)]))).toEqual({ orders: [], refusals: [refusal] });
  });

  it("names the line on which an order of an indented array begins", () => {
    const text = JSON.stringify([order('"]},{['), order("B", { items: [] }), "no order"], null, 2);
    const lines = text.split("\n");
    expect(parseOrders(text).refusals).toEqual([
      `line ${lines.findIndex((line) => line.includes('"B"'))} (order B): items must be a list of at least one item`,
      `line ${lines.findIndex((line) => line.includes("no order")) + 1}: an order must be an object in braces`,
    ]);
  });

  it("names the column in which a line stops being JSON", () => {
    const { refusals } = parseOrders('  {"id": "A" "customer": "Ada"}\n');
    expect(refusals).toEqual(["line 1: not JSON: Expected ',' or '}' after property value at column 14"]);
  });

  it("refuses an id that an earlier order has, and keeps that order", () => {
    const text = [order("A"), order("B"), order("A", { customer: "Bob" })].map((one) => JSON.stringify(one)).join("\n");
    expect(parseOrders(text).refusals).toEqual(["line 3 (order A): its id is already that of the order on line 1"]);
    expect(parseOrders(text).orders).toEqual([order("A"), order("B")]);
  });
});

it("counts in cents, so that sums are exact", () => {
  expect(
    totalOf({
      items: [
        { sku: "A", quantity: 3, price: 0.1 },
        { sku: "B", quantity: 1, price: 1.15 },
      ],
    }),
  ).toBe(145);
});

it("takes a usual card when none is given, and leaves out what it does not know", () => {
  const { card: _, ...rest } = order("A") as { card: string };
  expect(parseOrders(JSON.stringify([{ ...rest, note: "gift" }])).orders).toEqual([order("A")]);
});
