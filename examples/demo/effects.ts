/**
 * A file beside the database with one line for each time an activity's body was executed. Romancy does not know of it:
 * it stands for the world outside, and lets the demo count executions without asking the one that is to be checked.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { type ActivityContext, TerminalError } from "../../src/index.ts";

/** One execution of an activity's body. */
export interface Execution {
  /** Which life of the worker: 1 before the kill, 2 after it. */
  readonly run: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly orderId: string;
  readonly activityId: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
}

export class Effects {
  readonly #file: string;
  readonly #run: number;

  constructor(file: string, run: number) {
    this.#file = file;
    this.#run = run;
  }

  /** Executes the work of an activity's body: written down before it, and told to whoever watches. */
  async perform<Result>(ctx: ActivityContext, work: () => Promise<Result>): Promise<Result> {
    const { attempt } = ctx;
    this.#append(ctx);
    ctx.log.info("Began.", { event: "began", attempt });
    try {
      const result = await work();
      ctx.log.info("Ran.", { event: "ran", attempt });
      return result;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      ctx.log.info("Failed.", { event: "failed", attempt, error: message, isFinal: error instanceof TerminalError });
      throw error;
    }
  }

  /** The page cache outlives a killed process, so there is nothing to flush. */
  #append({ instanceId, activityId, attempt, idempotencyKey }: ActivityContext): void {
    const execution: Execution = {
      run: this.#run,
      at: Date.now(),
      orderId: instanceId,
      activityId,
      attempt,
      idempotencyKey,
    };
    appendFileSync(this.#file, `${JSON.stringify(execution)}\n`);
  }
}

export function readEffects(file: string): Execution[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Execution);
}
