/** Owners that die again and again: what they have owned is blocked, and it is told which. */
import { expect, it, vi } from "vitest";
import type { Transaction } from "../../src/store/database.ts";
import type { WorkerRecord, WorkerSighting } from "../../src/store/leases.ts";
import { testDatabase } from "../support/apps.ts";
import { newInstance, OWNER } from "./new-instance.ts";
import { type OpenStore, openStore } from "./stores.ts";

const worker: WorkerRecord = { id: OWNER, incarnation: "one", host: "host", pid: 1, born: "then" };
const DEATHS = { maxRecoveries: 4, quarantine: '"enough"' };
const IDS = ["a", "b", "c"];

/** Instances with three deaths behind them, and their owner. */
async function doomed({ store }: OpenStore): Promise<WorkerSighting[]> {
  await store.leases.add(worker, null, 60_000, 1);
  await store.commit(IDS.map(newInstance), false);
  await testDatabase().exec("update romancy_instances set recoveries = 3");
  return [...(await store.leases.survey(["flow"])).workers];
}

it("are told of by one of those who find them dead", async () => {
  const [one, two] = [await openStore(), await openStore()];
  const dead = await doomed(one);
  const told = await Promise.all([one, two].map(({ store }) => store.leases.remove(dead, 5, DEATHS)));
  expect(
    told
      .flat()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(IDS);
  const rows = await testDatabase().rows("select status, error, recoveries from romancy_instances");
  expect(rows).toEqual(IDS.map(() => ({ status: "blocked", error: '"enough"', recoveries: 4 })));
});

it("are told of when the answer of the commit that blocked them was lost", async () => {
  const open = await openStore();
  const dead = await doomed(open);
  const lost = new Error("The answer was lost.");
  const { database } = open;
  const isTransient = database.isTransient.bind(database);
  vi.spyOn(database, "isTransient").mockImplementation((error) => error === lost || isTransient(error));
  const begin = database.begin.bind(database);
  vi.spyOn(database, "begin").mockImplementationOnce(async () => {
    const transaction: Transaction = await begin();
    const commit = transaction.commit.bind(transaction);
    transaction.commit = async () => {
      await commit();
      throw lost;
    };
    return transaction;
  });
  const told = await open.store.leases.remove(dead, 5, DEATHS);
  expect(told.map(({ id }) => id).toSorted()).toEqual(IDS);
});
