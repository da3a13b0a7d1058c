/** What the demo prints while it runs: one line for each thing that happened, with the time since the beginning. */
import { styleText } from "node:util";
import { nameOf, type ProgressEvent } from "./events.ts";
import type { Progress } from "./progress.ts";

/** Styles text for a terminal. `styleText` itself leaves it plain where the output is none. */
export const style = {
  good: (text: string): string => styleText("green", text),
  bad: (text: string): string => styleText(["bold", "red"], text),
  loud: (text: string): string => styleText(["bold", "inverse"], text),
  title: (text: string): string => styleText("bold", text),
  quiet: (text: string): string => styleText("dim", text),
};

export interface TimelineOptions {
  readonly progress: Progress;
  /** Characters of the longest order id. */
  readonly idWidth: number;
  readonly write: (line: string) => void;
  /** Milliseconds by any clock that only goes forward. */
  readonly now: () => number;
}

export class Timeline {
  readonly #options: TimelineOptions;
  readonly #begun: number;
  /** `order activityId` of what was being executed when the worker was killed. */
  #cutOff: ReadonlySet<string> = new Set();

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#begun = options.now();
  }

  /** What runs again because the kill cut it off is marked as such. */
  restart(cutOff: ReadonlySet<string>): void {
    this.#cutOff = cutOff;
  }

  event(event: ProgressEvent): void {
    switch (event.event) {
      case "ready":
        this.note("the worker is ready");
        break;
      case "log":
        this.note(`romancy: ${event.message}${event.data === undefined ? "" : ` ${JSON.stringify(event.data)}`}`);
        break;
      case "began":
        break;
      case "waiting":
        this.#order(event.instanceId, "", `waiting ${event.milliseconds} ms until it is packed`);
        break;
      case "finished":
        this.#order(event.instanceId, "", this.#finished(event.outcome));
        break;
      case "ran":
      case "failed":
        this.#order(event.instanceId, nameOf(event.activityId), this.#outcome(event));
        break;
    }
  }

  /** A line that is about no order. */
  note(text: string): void {
    this.#options.write(`${this.#time()}  ${text}`);
  }

  /** A line that cannot be missed. */
  loud(text: string): void {
    this.#options.write(`\n${style.loud(`${this.#time()}  ${text} `)}\n`);
  }

  #outcome(event: Extract<ProgressEvent, { readonly event: "ran" | "failed" }>): string {
    if (event.event === "failed") {
      return event.isFinal
        ? style.bad(`failed for good: ${event.error}`)
        : style.bad(`failed, retried: ${event.error} (attempt ${event.attempt})`);
    }
    if (this.#cutOff.has(`${event.instanceId} ${event.activityId}`)) return "ran (again: the kill had cut it off)";
    return event.attempt > 1 ? `ran (attempt ${event.attempt})` : "ran";
  }

  #finished(outcome: string): string {
    const { finished, orders } = this.#options.progress;
    return style.good(`finished: ${outcome} (order ${finished} of ${orders})`);
  }

  #order(orderId: string, activity: string, what: string): void {
    const { progress, idWidth, write } = this.#options;
    const total = String(progress.activities);
    const count = style.quiet(`[${String(progress.done).padStart(total.length)}/${total}]`);
    write(`${this.#time()}  ${count}  ${orderId.padEnd(idWidth)}  ${activity.padEnd(7)}  ${what}`);
  }

  #time(): string {
    return `${((this.#options.now() - this.#begun) / 1_000).toFixed(2).padStart(6)}s`;
  }
}
