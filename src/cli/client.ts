/** The app behind a command: a client, which runs nothing and never changes the schema. */
import { type AnyWorkflow, type Logger, Romancy } from "../index.ts";
import type { CommonOptions } from "./command.ts";
import { UsageError } from "./failure.ts";

/** What matters is told by the command itself. */
const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Not started.
 *
 * @throws UsageError when no database is named
 */
export function createClient(options: CommonOptions, workflows: readonly AnyWorkflow[] = []): Romancy {
  const { url, schema, tablePrefix } = options;
  if (url === undefined || url === "") {
    throw new UsageError("no database is named: give --url, or set ROMANCY_DATABASE_URL");
  }
  return new Romancy({
    database: url,
    ...(schema !== undefined && { schema }),
    ...(tablePrefix !== undefined && { tablePrefix }),
    workflows,
    worker: false,
    autoMigrate: false,
    logger: SILENT,
  });
}

/** Starts it, and shuts it down whatever comes of the work. */
export async function withClient<T>(
  options: CommonOptions,
  work: (app: Romancy) => Promise<T>,
  workflows?: readonly AnyWorkflow[],
): Promise<T> {
  const app = createClient(options, workflows);
  await app.start();
  try {
    return await work(app);
  } finally {
    await app.shutdown();
  }
}
