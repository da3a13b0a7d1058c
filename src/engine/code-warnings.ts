import type { Operation } from "../core/operation.ts";
import type { Logger } from "../workflow/logger.ts";
import type { Clock } from "./clock.ts";
import type { Request } from "./requests.ts";

/** Code that has been quiet for so long, in milliseconds, with nothing durable under way, is warned of. */
const AFTER = 5_000;

/** Warns of what a workflow's code is likely to have got wrong. */
export class CodeWarnings {
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

  /** It awaits something that is not durable, unless this is called off in time. */
  arm(lastOperation: string): void {
    this.#callOff = this.#clock.at(this.#clock.now() + AFTER, () => {
      this.#warn(
        `awaits something that is not durable: a timer, a fetch or the like. Its last operation was ${lastOperation}. ` +
          "Move such work into an activity.",
        { lastOperation },
      );
    });
  }

  callOff(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }

  /** It has called activities and returned in the same breath, so that they were never begun. */
  ended(requested: readonly Operation<Request>[]): void {
    const activities = requested.flatMap(({ id, request }) => (request.type === "activity" ? [id] : []));
    if (activities.length === 0) return;
    this.#warn(
      `has returned without waiting for ${activities.join(", ")}, which were called and never begun. Is an \`await\` missing?`,
      { activities },
    );
  }

  #warn(problem: string, facts: object): void {
    const [workflowName, instanceId] = [this.#workflow, this.#instanceId];
    this.#log.warn(`Workflow ${workflowName} (instance ${instanceId}) ${problem}`, {
      instanceId,
      workflowName,
      ...facts,
    });
  }
}
