import type { OperationKind, RecordedOperation } from "./history.ts";

/** One durable call of workflow code that waits for its completion. */
export interface Operation<Request = unknown> {
  readonly id: string;
  readonly kind: OperationKind;
  /** What was asked for, in the caller's terms; the core does not look at it. */
  readonly request: Request;
  /** What history already records of it; without its completion, or it would not be open. */
  readonly recorded: RecordedOperation | undefined;
  /** Whether it goes on though the instance is cancelled. */
  readonly isShielded: boolean;
}

/** Gives operations their ids: `name:n`, n counting the calls of that name in call order. */
export class OperationNames {
  readonly #counts = new Map<string, number>();

  next(name: string): string {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return `${name}:${count}`;
  }
}
