export type { ReplayEnd, ReplayResult } from "../index.ts";
export { type CrashReport, crashEverywhere } from "./crash-everywhere.ts";
export type { CrashPoint } from "./crash-points.ts";
export { StuckError } from "./errors.ts";
export { operationsOf } from "./operations.ts";
export { type ReplayCheckOptions, replayCheck } from "./replay-check.ts";
export type { Definition, Stub, StubCall } from "./stubs.ts";
export { startTestApp, type TestApp, type TestAppOptions } from "./test-app.ts";
