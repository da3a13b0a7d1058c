import type { Database, Transaction } from "./database.ts";

/** Runs the body in a write transaction: committed when it resolves, rolled back when it rejects. */
export async function inTransaction<T>(database: Database, body: (transaction: Transaction) => Promise<T>): Promise<T> {
  const transaction = await database.begin();
  try {
    const result = await body(transaction);
    await transaction.commit();
    return result;
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}
