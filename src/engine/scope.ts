/**
 * Whose code is running: it follows every await, so that a call deep inside an activity is known to be inside it, and
 * a rejection that nobody handles is known to come out of a workflow.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { MisplacedCallError } from "../core/errors.ts";
import type { ActivitySession } from "./session.ts";

/** What is to be known of an activity whose body is running. */
export interface RunningActivity {
  readonly activityId: string;
  /** Its session, if the transaction has begun. */
  readonly openSession: ActivitySession | undefined;
}

const WORKFLOW = "workflow";

/** Code of a workflow that goes on though the instance is cancelled. */
const CLEANUP = "cleanup";

const scope = new AsyncLocalStorage<typeof WORKFLOW | typeof CLEANUP | RunningActivity>();

export function runAsWorkflow<T>(program: () => T): T {
  return scope.run(WORKFLOW, program);
}

export function runAsCleanup<T>(body: () => T): T {
  return scope.run(CLEANUP, body);
}

/** Whether the code that runs here goes on though its instance is cancelled. */
export function isInCleanup(): boolean {
  return scope.getStore() === CLEANUP;
}

export function runAsActivity<T>(activity: RunningActivity, body: () => T): T {
  return scope.run(activity, body);
}

/** The activity whose body is running here, if any. */
export function currentActivity(): RunningActivity | undefined {
  const current = scope.getStore();
  return typeof current === "string" ? undefined : current;
}

/** @throws MisplacedCallError when a workflow's context has found its way into an activity */
export function checkPlace(operation: string): void {
  const activity = currentActivity();
  if (!activity) return;
  throw new MisplacedCallError(
    `${operation} was called with the workflow's context inside activity ${activity.activityId}. ` +
      "Durable calls belong into the workflow: return from the activity first.",
  );
}

let guards = 0;

/**
 * A branch of workflow code may reject before the workflow awaits it: `const later = branch(); await ctx.sleep(...);
 * await later`. Node would end the process for that; but it is no fault, and one workflow must not end a process that
 * runs a thousand others. So while an app is started, rejections that come out of workflow code are let pass, and all
 * others are treated as Node does without us.
 */
export function guardRejections(): void {
  if (guards++ === 0) process.on("unhandledRejection", onUnhandled);
}

/** Ends what `guardRejections` began; called once for each. */
export function unguardRejections(): void {
  if (--guards === 0) process.off("unhandledRejection", onUnhandled);
}

function onUnhandled(reason: unknown): void {
  if (typeof scope.getStore() === "string") return;
  // Our listener alone has switched off what Node does by default (`--unhandled-rejections=throw`): do it.
  if (process.listenerCount("unhandledRejection") === 1) throw reason;
}
