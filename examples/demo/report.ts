/** What the demo prints between the two lives of the worker, and at the end. */
import type { Execution } from "./effects.ts";
import { nameOf } from "./events.ts";
import type { Order } from "./order.ts";
import type { OrderRecord } from "./record.ts";
import { style } from "./timeline.ts";
import type { Check } from "./verify.ts";

/** `order activityId` of everything that was begun and is not recorded. */
export function cutOffIn(executions: readonly Execution[], records: readonly OrderRecord[]): Set<string> {
  const recorded = new Set(records.flatMap(({ orderId, activities }) => activities.map((id) => `${orderId} ${id}`)));
  const begun = executions.map(({ orderId, activityId }) => `${orderId} ${activityId}`);
  return new Set(begun.filter((activity) => !recorded.has(activity)));
}

/** What the database holds after the kill: the recorded activities, which are replayed, and what goes on. */
export function describeRecord(
  orders: readonly Order[],
  records: readonly OrderRecord[],
  cutOff: ReadonlySet<string>,
): string[] {
  const byId = new Map(records.map((record) => [record.orderId, record]));
  const width = widthOf(orders.map(({ id }) => id));
  const rows = orders.map(({ id }) => {
    const names = byId.get(id)?.activities.map(nameOf).join(", ") ?? "";
    return `  ${id.padEnd(width)}  ${(names || "-").padEnd(24)}  ${nextOf(id, byId.get(id), cutOff)}`;
  });
  return [style.title("Recorded in the database, so replayed and not run again:"), ...rows, ""];
}

function nextOf(id: string, record: OrderRecord | undefined, cutOff: ReadonlySet<string>): string {
  const [open] = [...cutOff].filter((key) => key.startsWith(`${id} `)).map((key) => key.slice(id.length + 1));
  if (record?.status === "completed") return `finished: ${record.result?.outcome ?? "?"}`;
  if (open !== undefined) return `${nameOf(open)} is not recorded, so it runs again, with the same idempotency key`;
  if (record === undefined || record.status === "pending") return "not begun";
  return record.status === "waiting" ? "waiting, and its deadline stays" : "goes on after these";
}

/** A row for each order. */
export function describeResults(orders: readonly Order[], records: readonly OrderRecord[]): string[] {
  const byId = new Map(records.map((record) => [record.orderId, record]));
  const rows = orders.map(({ id, customer }) => [id, customer, ...resultOf(byId.get(id))] as const);
  const total = records.reduce((sum, { result }) => sum + (result?.cents ?? 0), 0);
  const [header = "", ...lines] = table([
    ["Order", "Customer", "Charged", "Result"],
    ...rows,
    ["", "", money(total), "in all"],
  ]);
  return [style.title(header), ...lines, ""];
}

/** The third column holds amounts. */
function table(rows: readonly (readonly [string, string, string, string])[]): string[] {
  const [ids, customers, amounts] = ([0, 1, 2] as const).map((column) => widthOf(rows.map((row) => row[column])));
  return rows.map(
    ([id, customer, amount, result]) =>
      `  ${id.padEnd(ids ?? 0)}  ${customer.padEnd(customers ?? 0)}  ${amount.padStart(amounts ?? 0)}  ${result}`,
  );
}

function money(cents: number): string {
  return (cents / 100).toFixed(2);
}

function resultOf(record: OrderRecord | undefined): [charged: string, result: string] {
  const { status, result, error } = record ?? {};
  if (result?.outcome === "shipped") return [money(result.cents), `shipped as ${result.parcel}`];
  if (result?.outcome === "declined") return [money(0), `declined: ${result.reason}`];
  const why = error instanceof Error ? `: ${error.message}` : "";
  return ["-", style.bad(`no result (${status ?? "not started"}${why})`)];
}

/** What was checked, and the verdict in one line. */
export function describeChecks(checks: readonly Check[]): string[] {
  const broken = checks.filter(({ problems }) => problems.length > 0);
  const lines = checks.flatMap(({ rule, finding, problems }) =>
    problems.length === 0
      ? [`  ${style.good("ok")}      ${finding}`]
      : [`  ${style.bad("BROKEN")}  ${rule}`, ...problems.map((problem) => `            ${problem}`)],
  );
  const verdict =
    broken.length === 0
      ? style.good("PASSED: killed in the middle, nothing lost, nothing recorded done twice.")
      : style.bad(`FAILED: ${broken.length} of ${checks.length} checks do not hold; see above.`);
  return [style.title("Checked:"), ...lines, "", verdict, ""];
}

/** How to see for oneself. */
export function describeFiles(database: string, effects: string): string[] {
  const sql = "select instance_id, seq, kind, operation_id, data from romancy_history order by instance_id, seq";
  const script = `console.table(new (require('node:sqlite').DatabaseSync)(process.argv[1]).prepare(process.argv[2]).all())`;
  return [
    style.title("The database is left for you to look at:"),
    `  sqlite3 -box "${database}" "${sql}"`,
    `  "${process.execPath}" --no-warnings -e "${script}" "${database}" "${sql}"`,
    '  (other tables: romancy_instances, and the shop\'s own: "select * from stock")',
    style.title("Every execution of an activity's body, one line each, written by the activities themselves:"),
    `  ${effects}`,
  ];
}

function widthOf(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length));
}
