import type { Logger } from "../index.ts";

const write: Logger["error"] = (message, data) => console.error(message, ...(data ? [data] : []));
const quiet: Logger["debug"] = () => {};

/**
 * A logger that keeps to the error output. An app whose server is served by the standard output needs one, for all that is
 * written there is taken for the protocol.
 *
 * @example
 * const app = new Romancy({ database: "orders.db", workflows: [order], logger: stderrLogger });
 */
export const stderrLogger: Logger = { debug: quiet, info: write, warn: write, error: write };
