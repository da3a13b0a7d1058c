import type { Logger } from "../../src/index.ts";

/** Says nothing. */
export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
