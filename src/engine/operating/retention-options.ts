import { type Duration, toMilliseconds } from "../../core/duration.ts";
import { ValidationError } from "../../core/errors.ts";
import { checkKeys, type KnownKeys } from "../../core/known-keys.ts";

/** For how long what has ended is kept; `false` for ever. Workers look every ten minutes. */
export interface RetentionOptions {
  /**
   * For how long instances are kept after they have ended, with their histories. What belongs together goes together: an
   * instance, its children, and what they went on as, when all of it has ended so long ago. Longer than an event that
   * starts instances may be delivered again: one that is gone is started once more. Default `false`.
   */
  readonly instances?: Duration | false;
  /** The same for instances of these workflows that began by themselves, by the workflows' names. */
  readonly workflows?: Readonly<Record<string, Duration | false>>;
  /** For how long events for brokers are kept that were given up: `invalid`, `failed`, `expired`. Default `false`. */
  readonly givenUpEvents?: Duration | false;
  /**
   * For how long a message that one of competing subscribers took is remembered, so that a copy of it, sent with the same
   * id, is not taken again. Default 1 h.
   */
  readonly takenMessages?: Duration;
}

/** The same, times in milliseconds, `Infinity` for ever. */
export interface RetentionSettings {
  readonly instances: number;
  readonly workflows: ReadonlyMap<string, number>;
  readonly givenUpEvents: number;
  readonly takenMessages: number;
}

const KNOWN: KnownKeys<RetentionOptions> = {
  instances: true,
  workflows: true,
  givenUpEvents: true,
  takenMessages: true,
};

/** @throws ValidationError */
export function resolveRetention(options: RetentionOptions): RetentionSettings {
  checkKeys("retention", options, KNOWN);
  const { instances = false, workflows = {}, givenUpEvents = false, takenMessages = "1h" } = options;
  if (typeof workflows !== "object" || workflows === null) {
    throw new ValidationError("retention.workflows must be an object of workflows' names and ages.");
  }
  const ages = Object.entries(workflows).map(([name, age]) => [name, ageOf(`workflows.${name}`, age)] as const);
  return {
    instances: ageOf("instances", instances),
    workflows: new Map(ages),
    givenUpEvents: ageOf("givenUpEvents", givenUpEvents),
    takenMessages: toMilliseconds(takenMessages, "retention.takenMessages"),
  };
}

function ageOf(key: string, age: Duration | false): number {
  return age === false ? Number.POSITIVE_INFINITY : toMilliseconds(age, `retention.${key}`);
}
