import type { Hooks } from "../../src/index.ts";

/** What hooks were told: the name of the method, and the fact. */
export interface Told {
  readonly name: keyof Hooks;
  readonly fact: Readonly<Record<string, unknown>>;
}

const NAMES = [
  ...(["onWorkflowStart", "onWorkflowComplete", "onWorkflowFailed", "onWorkflowCancelled", "onRecur"] as const),
  ...([
    "onWorkflowBlocked",
    "onCancelRequested",
    "onRetry",
    "onRunStart",
    "onRunEnd",
    "onReplayStart",
    "onReplayComplete",
  ] as const),
  ...(["onActivityStart", "onActivityComplete", "onActivityRetry", "onActivityFailed", "onActivityCacheHit"] as const),
  ...(["onRollbackStart", "onCompensationStart", "onCompensationComplete", "onCompensationRetry"] as const),
  ...([
    "onCompensationFailed",
    "onEventReceived",
    "onEventWaitStart",
    "onEventWaitComplete",
    "onEventTimeout",
  ] as const),
  ...(["onEventSent", "onEventSendFailed", "onTimerStart", "onTimerFired", "onWorkerStart", "onWorkerStop"] as const),
  "onCommit" as const,
];

/** Hooks that take note of all that they are told. */
export function recordingHooks(): {
  readonly hooks: Hooks;
  readonly told: Told[];
  names(): string[];
  of(name: keyof Hooks): Told["fact"][];
} {
  const told: Told[] = [];
  const hooks = Object.fromEntries(
    NAMES.map((name) => [name, (fact: Told["fact"]): void => void told.push({ name, fact })]),
  ) as Hooks;
  return {
    hooks,
    told,
    /** Without what says when a run began and ended, and what was committed with what. */
    names: () => told.map(({ name }) => name).filter((name) => !QUIET.has(name)),
    of: (name) => told.filter((one) => one.name === name).map(({ fact }) => fact),
  };
}

const QUIET: ReadonlySet<string> = new Set(["onCommit", "onRunStart", "onRunEnd", "onWorkerStart", "onWorkerStop"]);
