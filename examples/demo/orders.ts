/** Reads a file of orders: a JSON array in any layout, or one order per line. What is no order is refused by name. */
import { readFileSync } from "node:fs";
import { claimedId, InvalidOrder, type Order, toOrder } from "./order.ts";

export interface OrdersFile {
  readonly orders: readonly Order[];
  /** Such as `line 5 (order ORD-7): quantity must be a whole number of 1 or more`. */
  readonly refusals: readonly string[];
}

/** There is nothing to run; the message is one line. */
export class OrdersFileError extends Error {}

interface Entry {
  readonly line: number;
  readonly value: unknown;
}

/** @throws OrdersFileError when the file cannot be read or has no valid order */
export function readOrders(path: string): OrdersFile {
  const file = parseOrders(readText(path));
  if (file.orders.length > 0) return file;
  const [first = "it is empty", ...more] = file.refusals;
  const others = more.length === 0 ? "" : ` (and ${more.length} more such lines)`;
  throw new OrdersFileError(`There is no valid order in ${path}: ${first}${others}`);
}

/** The same for the text of a file; it may have no orders. */
export function parseOrders(text: string): OrdersFile {
  const refusals: string[] = [];
  const orders = new Map<string, Order>();
  const lines = new Map<string, number>();
  for (const { line, value } of entriesOf(text.replace(/^\uFEFF/, ""))) {
    try {
      const order = toOrder(value instanceof NotJson ? value.refuse() : value);
      const earlier = lines.get(order.id);
      if (earlier !== undefined) throw new InvalidOrder(`its id is already that of the order on line ${earlier}`);
      lines.set(order.id, line);
      orders.set(order.id, order);
    } catch (error) {
      if (!(error instanceof InvalidOrder)) throw error;
      const id = claimedId(value);
      refusals.push(`line ${line}${id === undefined ? "" : ` (order ${id})`}: ${error.message}`);
    }
  }
  return { orders: [...orders.values()], refusals };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const why = code === "ENOENT" ? "there is no such file" : String(error);
    throw new OrdersFileError(`The orders in ${path} cannot be read: ${why}`, { cause: error });
  }
}

/** A line that could not be parsed, kept until it is its turn to be refused. */
class NotJson {
  readonly #problem: string;

  constructor(error: unknown) {
    const message = error instanceof Error ? error.message : String(error);
    this.#problem = message
      .replace(/ in JSON at position \d+(?: \(line 1 column (\d+)\))?/, (_, column) =>
        column ? ` at column ${column}` : "",
      )
      .replace(/\p{Cc}+/gu, " ");
  }

  refuse(): never {
    throw new InvalidOrder(`not JSON: ${this.#problem}`);
  }
}

function entriesOf(text: string): Entry[] {
  const whole = parse(text);
  if (Array.isArray(whole)) {
    const lines = linesOfEntries(text);
    return whole.map((value: unknown, index) => ({ value, line: lines[index] ?? 1 }));
  }
  // One order, laid out over several lines.
  if (!(whole instanceof NotJson)) return [{ line: 1, value: whole }];
  return text
    .split(/\r?\n/)
    .map((source, index) => ({ source, line: index + 1 }))
    .filter(({ source }) => !/^[\s[\],]*$/.test(source))
    .map(({ source, line }) => ({ line, value: parse(withoutArray(source)) }));
}

/** One order out of the lines of an array. The brackets become spaces, so that columns stay what they are. */
function withoutArray(source: string): string {
  return source.replace(/^(\s*)\[/, "$1 ").replace(/\}[\s,\]]*$/, "}");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return new NotJson(error);
  }
}

/** The line on which each entry of a valid JSON array begins. */
function linesOfEntries(text: string): number[] {
  const lines: number[] = [];
  let line = 1;
  let depth = 0;
  let isEntryNext = false;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},\n]|[^\s"[\]{},]+/g)) {
    if (token === "\n") {
      line++;
      continue;
    }
    if (isEntryNext) lines.push(line);
    isEntryNext = (token === "[" && depth === 0) || (token === "," && depth === 1);
    if (token === "[" || token === "{") depth++;
    else if (token === "]" || token === "}") depth--;
  }
  return lines;
}
