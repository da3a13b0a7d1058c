import type { Logger } from "../workflow/logger.ts";
import type { Clock } from "./clock.ts";

/** Code that has been quiet for so long, in milliseconds, with nothing durable under way, is warned of. */
const AFTER = 5_000;

/** Warns of a workflow that awaits something which is not durable. */
export class StuckWarning {
  readonly #workflow: string;
  readonly #instanceId: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  #callOff: (() => void) | undefined;

  constructor(workflow: string, instanceId: string, clock: Clock, log: Logger) {
    this.#workflow = workflow;
    this.#instanceId = instanceId;
    this.#clock = clock;
    this.#log = log;
  }

  /** Warns unless it is called off in time. */
  arm(lastOperation: string): void {
    this.#callOff = this.#clock.at(this.#clock.now() + AFTER, () => {
      this.#log.warn(
        `Workflow ${this.#workflow} (instance ${this.#instanceId}) awaits something that is not durable: a timer, a ` +
          `fetch or the like. Its last operation was ${lastOperation}. Move such work into an activity.`,
      );
    });
  }

  callOff(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }
}
