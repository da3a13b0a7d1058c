/** One execution by hand: a task at a time, with everything it says kept. */
import { Execution, type ExecutionOptions } from "../../src/core/execution.ts";
import type { HistoryEvent, NewEvent } from "../../src/core/history.ts";
import type { Outcome, Turn } from "../../src/core/turn.ts";

export const completed = (operationId: string, result = '"ok"'): NewEvent => ({
  kind: "activity_completed",
  operationId,
  at: 1,
  result,
});

export const failed = (operationId: string): NewEvent => ({
  kind: "activity_failed",
  operationId,
  at: 1,
  activity: "a",
  attempts: 2,
  error: '"no"',
});

export const attemptFailed = (operationId: string): NewEvent => ({
  kind: "attempt_failed",
  operationId,
  at: 1,
  attempt: 1,
  startedAt: 0,
  retryAt: 2,
  error: '"no"',
});

export const timerStarted = (operationId: string): NewEvent => ({
  kind: "timer_started",
  operationId,
  at: 1,
  fireAt: 5,
});
export const timerFired = (operationId: string): NewEvent => ({ kind: "timer_fired", operationId, at: 5 });
export const valueRecorded = (operationId: string, value: string): NewEvent => ({
  kind: "value_recorded",
  operationId,
  at: 1,
  value,
});

/** In their places: 1, 2, ... */
export function historyOf(...events: readonly NewEvent[]): HistoryEvent[] {
  return events.map((event, index) => ({ ...event, seq: index + 1 }));
}

export interface Bench {
  readonly execution: Execution<string>;
  readonly turns: Turn<string>[];
  /** Runs deferred tasks, each in a macrotask of its own, until none is left. */
  settle(): Promise<void>;
  /** Runs one of them. */
  tick(): Promise<void>;
  /** The outcome that was handed out; more than one is a fault. */
  outcome(): Outcome | undefined;
  /** Ids of what was requested, turn by turn. */
  requested(): string[][];
}

/** Starts a program; it gets the execution to ask for things. */
export function start(
  history: readonly HistoryEvent[],
  program: (execution: Execution<string>) => unknown,
  options: Pick<ExecutionOptions<string>, "isComplete"> = {},
): Bench {
  const tasks: (() => void)[] = [];
  const turns: Turn<string>[] = [];
  const execution: Execution<string> = new Execution<string>({
    ...options,
    instanceId: "i-1",
    history,
    program: () => program(execution),
    defer: (task) => tasks.push(task),
    onTurn: (turn) => turns.push(turn),
  });
  const tick = async (): Promise<void> => {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    tasks.shift()?.();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  };
  const settle = async (): Promise<void> => {
    do await tick();
    while (tasks.length > 0);
  };
  const outcome = (): Outcome | undefined => {
    const outcomes = turns.flatMap((turn) => turn.outcome ?? []);
    if (outcomes.length > 1) throw new Error("The outcome was handed out twice.");
    return outcomes[0];
  };
  const requested = (): string[][] => turns.map((turn) => turn.requested.map(({ id }) => id));
  execution.start();
  return { execution, turns, settle, tick, outcome, requested };
}
