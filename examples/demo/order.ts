/** An order, and what makes a value one. */

export interface Item {
  readonly sku: string;
  readonly quantity: number;
  /** Of one piece, with at most two decimals. */
  readonly price: number;
}

export interface Order {
  readonly id: string;
  readonly customer: string;
  /** A token of the payment provider: `tok_declined` and `tok_flaky` are its test cards, every other one is charged. */
  readonly card: string;
  readonly items: readonly Item[];
}

export class InvalidOrder extends Error {}

/** Every order takes so many activities, declined or not. */
export const ACTIVITIES_PER_ORDER = 3;

/** The order in a value, without what does not belong to one. @throws InvalidOrder that says what is wrong */
export function toOrder(value: unknown): Order {
  const fields = toFields(value, "an order must be an object in braces");
  const items = fields["items"];
  if (!Array.isArray(items) || items.length === 0) throw new InvalidOrder("items must be a list of at least one item");
  const order = {
    id: toText(fields["id"], "id"),
    customer: toText(fields["customer"], "customer"),
    card: toText(fields["card"] ?? "tok_visa", "card"),
    items: items.map(toItem),
  };
  if (!Number.isSafeInteger(totalOf(order))) throw new InvalidOrder("its total is too large to be exact");
  return order;
}

/** The id that a value claims to have, so that a refusal can name it. */
export function claimedId(value: unknown): string | undefined {
  try {
    return toText(toFields(value, "")["id"], "id");
  } catch {
    return undefined;
  }
}

/** In cents: sums of fractions are not exact. */
export function totalOf({ items }: Pick<Order, "items">): number {
  return items.reduce((sum, { quantity, price }) => sum + quantity * Math.round(price * 100), 0);
}

function toItem(value: unknown, index: number): Item {
  const where = ` (item ${index + 1})`;
  const fields = toFields(value, `an item must be an object in braces${where}`);
  const { quantity, price } = fields;
  if (typeof quantity !== "number" || !Number.isSafeInteger(quantity) || quantity < 1) {
    throw new InvalidOrder(`quantity must be a whole number of 1 or more${where}`);
  }
  if (typeof price !== "number" || price < 0 || !hasWholeCents(price)) {
    throw new InvalidOrder(`price must be a number of 0 or more, with at most two decimals${where}`);
  }
  return { sku: toText(fields["sku"], "sku", where), quantity, price };
}

function hasWholeCents(price: number): boolean {
  return Math.abs(price * 100 - Math.round(price * 100)) < 1e-6;
}

function toFields(value: unknown, problem: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new InvalidOrder(problem);
  return value as Record<string, unknown>;
}

/** Control characters would let a file of orders write over the terminal. */
function toText(value: unknown, field: string, where = ""): string {
  if (typeof value === "string" && /^[^\p{Cc}]{1,100}$/u.test(value) && value.trim() === value) return value;
  throw new InvalidOrder(`${field} must be a text of 1 to 100 characters on one line${where}`);
}
