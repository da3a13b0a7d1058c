/** Starts what is behind an app: its database, its broker, and the parts that work with them. */
import { httpPublisher } from "../http/broker.ts";
import { loadSdk } from "../http/sdk.ts";
import { checkSchema, migrate } from "../store/migrate.ts";
import { SqlStore } from "../store/sql-store.ts";
import type { Publisher } from "../workflow/outbox.ts";
import { openDatabase } from "./open-database.ts";
import type { OutboxSettings } from "./outbox/outbox-options.ts";
import { Running, type Setup } from "./running.ts";

/**
 * @throws SchemaVersionError when the schema is newer, or older and not to be changed
 * @throws MissingPackageError when a broker needs a package
 * @throws DuplicateNameError when a living worker has the same id
 */
export async function openRunning(setup: Omit<Setup, "publisher">): Promise<Running> {
  const { options } = setup;
  const database = await openDatabase({ ...options, creates: options.autoMigrate });
  try {
    await (options.autoMigrate ? migrate(database) : checkSchema(database));
    const publisher = options.worker ? await publisherOf(options.outbox) : undefined;
    const running = new Running(new SqlStore(database), { ...setup, publisher });
    await running.start();
    return running;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** @throws MissingPackageError at once, rather than with the first event */
async function publisherOf({ target }: OutboxSettings): Promise<Publisher | undefined> {
  if (!target || "publish" in target) return target;
  await loadSdk();
  return httpPublisher(target);
}
