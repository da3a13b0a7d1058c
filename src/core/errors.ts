import type { StandardSchemaV1 } from "@standard-schema/spec";
import { InstanceNotCancellableError } from "./outcome-errors.ts";
import { RomancyError } from "./romancy-error.ts";

export {
  ActivityError,
  ActivityTimeoutError,
  CancelledError,
  CompensationError,
  InstanceNotCancellableError,
  InstanceNotRetryableError,
  NonDeterminismError,
  NothingToCompensateError,
  QuarantineError,
  RetryLaterError,
  TerminalError,
  WorkflowFailedError,
} from "./outcome-errors.ts";
export { describe, messageOf, RomancyError, readable } from "./romancy-error.ts";

/** No event came before the `timeout` of `ctx.waitEvent`. Events that come later are kept for the next wait. */
export class EventTimeoutError extends RomancyError {
  readonly types: readonly string[];
  readonly key: string | undefined;

  constructor(types: readonly string[], key: string | null) {
    const what = `${types.join(" or ")}${key === null ? "" : ` with the key ${key}`}`;
    super("EVENT_TIMEOUT", `No event ${what} came in time.`);
    this.types = types;
    this.key = key ?? undefined;
  }
}

/** A message or event for one instance came too late: the instance has ended. */
export class InstanceFinishedError extends RomancyError {
  readonly instanceId: string;

  constructor(instanceId: string, status: string) {
    super("INSTANCE_FINISHED", `Instance ${instanceId} is ${status}: it takes no messages any more.`);
    this.instanceId = instanceId;
  }
}

/** `ctx.receive` was given a `timeout` and no message came in time. One that comes later is kept for the next receive. */
export class ChannelTimeoutError extends RomancyError {
  readonly channel: string;

  constructor(channel: string) {
    super("CHANNEL_TIMEOUT", `No message came on channel ${channel} in time.`);
    this.channel = channel;
  }
}

/** A channel is used in one mode at a time, and it is in use in another. */
export class ChannelModeConflictError extends RomancyError {
  readonly channel: string;
  /** The mode in use. */
  readonly mode: string;

  constructor(channel: string, mode: string, asked: string) {
    super(
      "CHANNEL_MODE_CONFLICT",
      `Channel ${channel} is in use as ${mode} and cannot be subscribed to as ${asked}. Use another channel, or wait ` +
        "until its subscribers are gone and its messages are taken.",
    );
    this.channel = channel;
    this.mode = mode;
  }
}

/** `ctx.receive` was called for a channel that the instance has not subscribed to. */
export class ChannelNotSubscribedError extends RomancyError {
  readonly channel: string;

  constructor(channel: string) {
    super(
      "CHANNEL_NOT_SUBSCRIBED",
      `The instance has not subscribed to channel ${channel}. Call \`await ctx.subscribe(${JSON.stringify(channel)}, mode)\` first.`,
    );
    this.channel = channel;
  }
}

/** Two operations of one instance were given the same id. */
export class OperationIdConflictError extends RomancyError {
  readonly operationId: string;

  constructor(operationId: string) {
    super(
      "OPERATION_ID_CONFLICT",
      `The operation id ${operationId} was already used in this instance. Give each call its own id, or none.`,
    );
    this.operationId = operationId;
  }
}

/** A value cannot be stored. Nothing was written. */
export class SerializationError extends RomancyError {
  /** Where in the value, such as `order.items[2].callback`; empty for the value itself. */
  readonly path: string;

  constructor(what: string, path: string, problem: string, options?: ErrorOptions) {
    super("SERIALIZATION", `${what} cannot be stored: ${path === "" ? "it" : path} ${problem}`, options);
    this.path = path;
  }
}

/** Input, output or an option that does not have the form it must have. Nothing was stored. */
export class ValidationError extends RomancyError {
  /** As the schema reported them (Standard Schema issues: `message` and, where known, `path`). */
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(message: string, issues: readonly StandardSchemaV1.Issue[] = [{ message }]) {
    super("VALIDATION", message);
    this.issues = issues;
  }
}

/** No instance has that id. */
export class InstanceNotFoundError extends RomancyError {
  readonly instanceId: string;

  constructor(instanceId: string) {
    super("INSTANCE_NOT_FOUND", `There is no instance ${instanceId} in this database. Check the id and the database.`);
    this.instanceId = instanceId;
  }
}

/** `start` was given an id that another workflow, or the same one with another input, already has. */
export class InstanceConflictError extends RomancyError {
  readonly instanceId: string;

  constructor(instanceId: string, difference: string) {
    super(
      "INSTANCE_CONFLICT",
      `Instance ${instanceId} exists already with another ${difference}. Nothing was started; choose another id.`,
    );
    this.instanceId = instanceId;
  }
}

/** A worker was asked to start a workflow that it could not run. */
export class WorkflowNotRegisteredError extends RomancyError {
  readonly workflow: string;

  /** @param isAnother whether another definition of that name is registered */
  constructor(workflow: string, isAnother = false) {
    super(
      "WORKFLOW_NOT_REGISTERED",
      isAnother
        ? `Another definition of workflow ${workflow} is registered with this app. Is its module loaded twice? Start the one ` +
            "that was passed in `workflows`."
        : `Workflow ${workflow} is not registered with this app. Pass it in \`workflows\`, call \`app.register(...)\`, ` +
            "or use `worker: false` to start workflows that other workers run.",
    );
    this.workflow = workflow;
  }
}

/** `handle.result({ timeout })` gave up waiting; the instance goes on. */
export class ResultTimeoutError extends RomancyError {
  readonly instanceId: string;

  /** @param timeout in milliseconds, where it is known */
  constructor(instanceId: string, timeout?: number) {
    const within = timeout === undefined ? "in time" : `within ${timeout} ms`;
    super(
      "RESULT_TIMEOUT",
      `Instance ${instanceId} had no result ${within}. Ask again later; its \`status()\` tells how it stands.`,
    );
    this.instanceId = instanceId;
  }
}

/** The app is not in the state that the call needs: not started yet, or shut down. */
export class AppStateError extends RomancyError {
  constructor(message: string) {
    super("APP_STATE", message);
  }
}

/** Two different workflows of one name, or a worker id that another living worker holds. */
export class DuplicateNameError extends RomancyError {
  constructor(message: string) {
    super("DUPLICATE_NAME", message);
  }
}

/** A durable operation was called where it cannot be durable, such as an activity inside an activity. */
export class MisplacedCallError extends RomancyError {
  constructor(message: string) {
    super("MISPLACED_CALL", message);
  }
}

/** `ctx.session` was used when it cannot be: outside its activity, or while its transaction is not open. */
export class SessionError extends RomancyError {
  constructor(message: string, options?: ErrorOptions) {
    super("SESSION", message, options);
  }
}

/** The database, file or pool cannot be used as it is, or the driver's package is missing. */
export class UnsupportedDatabaseError extends RomancyError {
  constructor(message: string, options?: ErrorOptions) {
    super("UNSUPPORTED_DATABASE", message, options);
  }
}

/**
 * A broker did not take an event. Throw it from a publisher to say when to try again; any other error is tried again by
 * the option `retry` alone.
 *
 * @example
 * throw new PublishError("the broker is restarting", { retryAfter: 10_000 });
 */
export class PublishError extends RomancyError {
  /** Milliseconds after which to try again, at the earliest; `undefined` when the broker did not say. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly retryAfter?: number | undefined } = {}) {
    super("PUBLISH", message, options);
    this.retryAfter = options.retryAfter;
  }
}

/** A package that only some features need is not installed. */
export class MissingPackageError extends RomancyError {
  /** Its name in the registry. */
  readonly package: string;

  /** @param what what needs it, with the verb */
  constructor(what: string, name: string, options?: ErrorOptions) {
    super("MISSING_PACKAGE", `${what} the package \`${name}\`: run \`npm install ${name}\`.`, options);
    this.package = name;
  }
}

/** The schema in the database is newer than this code, or older while `autoMigrate` is off. Nothing was touched. */
export class SchemaVersionError extends RomancyError {
  constructor(message: string) {
    super("SCHEMA_VERSION", message);
  }
}

/** A migration cannot be taken back, because there is none, or because of what the database holds. Nothing was touched. */
export class MigrationRefusedError extends RomancyError {
  constructor(message: string) {
    super("MIGRATION_REFUSED", message);
  }
}

/** The database refused what one instance wrote, and only that one is concerned; or it cannot be reached at all. */
export class StoreError extends RomancyError {
  constructor(message: string, options?: ErrorOptions) {
    super("STORE", message, options);
  }
}

/** Why something cannot be sent to an instance. */
export function undeliverable(instanceId: string, status: string | undefined): Error {
  return status === undefined ? new InstanceNotFoundError(instanceId) : new InstanceFinishedError(instanceId, status);
}

/** Why an instance cannot be cancelled. */
export function notCancellable(instanceId: string, status: string | undefined): Error {
  return status === undefined
    ? new InstanceNotFoundError(instanceId)
    : new InstanceNotCancellableError(instanceId, status);
}
