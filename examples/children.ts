/** An order whose parcels are workflows of their own; when one cannot be sent, those that were sent are called back. */
import { defineActivity, defineWorkflow, Romancy } from "romancy";

const log: string[] = [];

const book = defineActivity("book", (_, city: string) => void log.push(`booked a van to ${city}`), {
  compensation: (_, city) => void log.push(`cancelled the van to ${city}`),
});

const drive = defineActivity(
  "drive",
  (_, city: string) => {
    if (city === "Atlantis") throw new Error("there is no road to Atlantis");
    return `delivered in ${city}`;
  },
  { retry: false },
);

const parcel = defineWorkflow("parcel", async (ctx, city: string) => {
  await book(ctx, city);
  return drive(ctx, city);
});

const order = defineWorkflow("order", async (ctx, cities: string[]) => {
  const delivered: string[] = [];
  for (const city of cities) delivered.push(await parcel(ctx, city));
  return delivered;
});

const app = new Romancy({ database: "children.db", workflows: [order, parcel] });
await app.start();

const good = await order.start(app, ["Oslo", "Rome"]);
console.log((await good.result()).join(", "));

log.length = 0;
const bad = await order.start(app, ["Paris", "Atlantis"]);
await bad.result().catch((error: Error) => console.log(error.message));
console.log(log.join("\n"));

const { instances } = await app.listInstances({ workflow: "parcel" });
const parcels = instances.filter(({ parentId }) => parentId === bad.id).toReversed();
console.log(parcels.map(({ status }) => status).join(", "));
await app.shutdown();
