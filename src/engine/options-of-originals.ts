import { isObject } from "../core/known-keys.ts";
import type { Logger } from "../workflow/logger.ts";

/**
 * Options of Romancy for Go and of Edda, in camel case, that mean nothing here or go by another name: who brings them
 * along is told, and not refused. What to do in their place is in docs/migrating.md.
 */
const NAMES: ReadonlySet<string> = new Set([
  "channelCleanupInterval",
  "channelMessageRetention",
  "eventTimeoutInterval",
  "leaderHeartbeatInterval",
  "leaderLeaseDuration",
  "lockTimeout",
  "maxConcurrentMessages",
  "maxConcurrentResumptions",
  "maxConcurrentTimers",
  "maxMessagesPerBatch",
  "maxTimersPerBatch",
  "maxWorkflowsPerBatch",
  "messageCheckInterval",
  "migrationsFs",
  "notifyFallbackInterval",
  "notifyReconnectDelay",
  "outboxBatchSize",
  "outboxInterval",
  "recurCheckInterval",
  "serviceName",
  "singletonChannelCleanup",
  "singletonStaleLockCleanup",
  "staleLockInterval",
  "staleLockTimeout",
  "timerCheckInterval",
  "workflowResumptionInterval",
]);

export function withoutOriginals<Options>(given: Options): Options {
  if (originalsIn(given).length === 0) return given;
  return Object.fromEntries(Object.entries(given as object).filter(([name]) => !NAMES.has(name))) as Options;
}

export function warnOfOriginals(given: unknown, log: Logger): void {
  const originals = originalsIn(given);
  if (originals.length === 0) return;
  log.warn("Options of Romancy for Go or Edda that mean nothing here were passed over: see docs/migrating.md.", {
    options: originals,
  });
}

function originalsIn(given: unknown): string[] {
  return isObject(given) ? Object.keys(given).filter((name) => NAMES.has(name)) : [];
}
