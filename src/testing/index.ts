export { type ReplayCheckOptions, type ReplayResult, replayCheck } from "./replay-check.ts";
