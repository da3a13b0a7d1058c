import { completing, type Database, type Transaction } from "./database.ts";

/** Runs the body in a write transaction: committed when it resolves, rolled back when it rejects. */
export async function inTransaction<T>(database: Database, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  return completing(await database.begin(), body);
}
