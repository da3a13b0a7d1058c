/** Where a test has the app die. */
import type { ActivityContext } from "../index.ts";
import type { Seams } from "./virtual-clock.ts";

/** Where the app is to die, as by SIGKILL; each once. */
export type CrashPoint =
  /**
   * In an attempt of an activity or a compensation: when its body is about to run; when it has ended, and nothing of that
   * is recorded; when its outcome is about to be committed; when it just was.
   */
  | {
      readonly at: "before body" | "after body" | "before commit" | "after commit";
      readonly activity: Named;
      /** Which attempt, or of commits which outcome, counted from 1 from now on. Default 1. */
      readonly nth?: number;
    }
  /** When it is about to be committed that a wait has taken an event of this type, or just was. */
  | {
      readonly at: "before commit" | "after commit";
      readonly event: string;
      /** Which of them, counted from 1 from now on. Default 1. */
      readonly nth?: number;
    }
  /** The n-th commit from now on, whatever is in it. */
  | { readonly at: "before commit" | "after commit"; readonly commit: number };

/** A name, or what has one. */
type Named = string | { readonly name: string };

type Changes = Parameters<Seams["commit"]>[0];
type HistoryEvent = Extract<Changes[number], { readonly type: "advance" }>["events"][number];

/** A point that was not reached yet. */
interface ArmedPoint {
  readonly point: CrashPoint;
  /** How often it is to be passed before it counts. */
  left: number;
}

export class CrashPoints {
  #armed: ArmedPoint[] = [];
  /** Names of activities by instance and operation: a record tells only the operation. */
  readonly #names = new Map<string, string>();

  arm(point: CrashPoint): void {
    this.#armed.push({ point, left: "commit" in point ? point.commit : (point.nth ?? 1) });
  }

  /** Points that were not reached. */
  get armed(): readonly CrashPoint[] {
    return this.#armed.map(({ point }) => point);
  }

  /** Whether the app is to die here, in an attempt of the activity. */
  isHit(at: "before body" | "after body", name: string, { instanceId, activityId }: ActivityContext): boolean {
    this.#names.set(`${instanceId}/${activityId}`, name);
    return this.#pass(at, (point) => ("activity" in point && nameOf(point.activity) === name ? 1 : 0));
  }

  /** Whether it is to die at this commit. */
  isHitBy(at: "before commit" | "after commit", changes: Changes): boolean {
    return this.#pass(at, (point) => {
      if ("commit" in point) return 1;
      return changes
        .flatMap((change) =>
          change.type === "advance" ? change.events.map((event) => [change.instanceId, event] as const) : [],
        )
        .filter(([instanceId, event]) => this.#isOf(point, instanceId, event)).length;
    });
  }

  #isOf(point: Exclude<CrashPoint, { readonly commit: number }>, instanceId: string, event: HistoryEvent): boolean {
    if ("event" in point) return event.kind === "message_received" && event.attributes["type"] === point.event;
    switch (event.kind) {
      case "activity_completed":
      case "activity_failed":
      case "compensation_completed":
      case "compensation_failed":
        return this.#names.get(`${instanceId}/${event.operationId}`) === nameOf(point.activity);
      default:
        return false;
    }
  }

  /** @param passes how often the moment passes a point */
  #pass(at: CrashPoint["at"], passes: (point: CrashPoint) => number): boolean {
    let isHit = false;
    for (const armed of this.#armed) {
      if (armed.point.at !== at) continue;
      armed.left -= passes(armed.point);
      isHit ||= armed.left <= 0;
    }
    this.#armed = this.#armed.filter(({ left }) => left > 0);
    return isHit;
  }
}

function nameOf(named: Named): string {
  return typeof named === "string" ? named : named.name;
}
