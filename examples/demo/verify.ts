/** Whether the demo kept its promises, from facts alone: the database, the file of executions and how the workers ended. */
import type { Execution } from "./effects.ts";
import { ACTIVITIES_PER_ORDER, type Order } from "./order.ts";
import type { OrderRecord, StockLevel } from "./record.ts";

export interface Facts {
  readonly orders: readonly Order[];
  /** How each life of the worker ended: `SIGKILL`, `exit code 0`. */
  readonly firstEnd: string;
  readonly secondEnd: string;
  /** The database between the kill and the restart. */
  readonly before: readonly OrderRecord[];
  /** The database at the end. */
  readonly after: readonly OrderRecord[];
  readonly executions: readonly Execution[];
  readonly stock: readonly StockLevel[];
}

export interface Check {
  /** What has to be so. */
  readonly rule: string;
  /** How it is so, with numbers; only for when there are no problems. */
  readonly finding: string;
  /** Why it is not so; empty when it is. */
  readonly problems: readonly string[];
}

export function verify(facts: Facts): Check[] {
  return [checkKill(facts), checkNothingAgain(facts), checkKeys(facts), checkResults(facts), checkStock(facts)];
}

function checkKill({ before, firstEnd, secondEnd, orders }: Facts): Check {
  const problems: string[] = [];
  const finished = before.filter(({ status }) => status === "completed").length;
  const recorded = before.flatMap(({ activities }) => activities).length;
  const planned = orders.length * ACTIVITIES_PER_ORDER;
  if (firstEnd !== "SIGKILL") problems.push(`the first worker was not killed by SIGKILL, but ended by ${firstEnd}`);
  if (recorded === 0) problems.push("nothing was recorded before the kill");
  if (finished >= orders.length) problems.push("every order had finished before the kill");
  if (secondEnd !== "exit code 0") problems.push(`the second worker did not end by itself, but by ${secondEnd}`);
  return {
    rule: "the worker is killed in the middle, and ends by itself the next time",
    finding: `the worker was killed by SIGKILL with ${recorded} of ${planned} activities recorded and ${finished} of ${orders.length} orders finished`,
    problems,
  };
}

/** That each recorded activity is in the file before the kill shows that the file would tell of one after it. */
function checkNothingAgain({ before, executions }: Facts): Check {
  const lives = Map.groupBy(executions, keyOf);
  const recorded = recordedIn(before);
  const problems = recorded.flatMap((activity) => {
    const ran = lives.get(keyOf(activity)) ?? [];
    const again = ran.filter(({ run }) => run > 1).length;
    const name = keyOf(activity);
    if (again > 0) return [`${name} was recorded before the kill and ran ${again} more time(s) after it`];
    return ran.length === 0 ? [`${name} is recorded, but no execution of it was seen`] : [];
  });
  return {
    rule: "no recorded activity runs again",
    finding: `of the ${recorded.length} activities recorded before the kill, 0 ran again`,
    problems,
  };
}

/** A key that changed would let the world outside do the work twice. */
function checkKeys({ executions }: Facts): Check {
  const lives = [...Map.groupBy(executions, keyOf)];
  const repeated = lives.filter(([, runs]) => runs.length > 1);
  const problems = repeated.flatMap(([activity, runs]) => {
    const keys = new Set(runs.map(({ idempotencyKey }) => idempotencyKey));
    return keys.size > 1 ? [`${activity} ran with different idempotency keys: ${[...keys].join(", ")}`] : [];
  });
  return {
    rule: "an activity keeps its idempotency key",
    finding: `the ${repeated.length} activities that were retried or cut off by the kill kept their idempotency keys`,
    problems,
  };
}

function checkResults({ orders, after }: Facts): Check {
  const records = new Map(after.map((record) => [record.orderId, record]));
  const problems = orders.flatMap(({ id }) => {
    const record = records.get(id);
    if (record?.status === "completed" && record.result) return [];
    return [`${id} has no result: ${record ? `it is ${record.status}` : "it is not in the database"}`];
  });
  return {
    rule: "every order has a result",
    finding: `${orders.length} of ${orders.length} orders have their result`,
    problems,
  };
}

function checkStock({ orders, after, stock }: Facts): Check {
  const shipped = new Set(after.filter(({ result }) => result?.outcome === "shipped").map(({ orderId }) => orderId));
  const sold = new Map<string, number>();
  for (const { sku, quantity } of orders.filter(({ id }) => shipped.has(id)).flatMap(({ items }) => items)) {
    sold.set(sku, (sold.get(sku) ?? 0) + quantity);
  }
  const problems = stock.flatMap(({ sku, initial, available }) => {
    const expected = initial - (sold.get(sku) ?? 0);
    return available === expected ? [] : [`stock of ${sku} is ${available}; it must be ${expected}`];
  });
  for (const sku of sold.keys()) {
    if (!stock.some((level) => level.sku === sku)) problems.push(`stock of ${sku} is missing`);
  }
  return {
    rule: "stock is what was there less what was shipped",
    finding: `the stock of all ${stock.length} articles is what was there less what was shipped`,
    problems,
  };
}

export function recordedIn(records: readonly OrderRecord[]): { orderId: string; activityId: string }[] {
  return records.flatMap(({ orderId, activities }) => activities.map((activityId) => ({ orderId, activityId })));
}

function keyOf({ orderId, activityId }: { readonly orderId: string; readonly activityId: string }): string {
  return `${orderId} ${activityId}`;
}
