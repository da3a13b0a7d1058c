/** Replies, and which error gets which. */
import {
  InstanceConflictError,
  InstanceFinishedError,
  InstanceNotCancellableError,
  InstanceNotFoundError,
  RomancyError,
  SerializationError,
  ValidationError,
} from "../core/errors.ts";

/** A request that is answered with an error. */
export class Problem extends Error {
  readonly status: number;
  /** What the reply gives as `error_type`. */
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, type: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.headers = headers;
  }
}

/** One event of a batch is at fault. */
export class BatchError extends Error {
  /** Its place, counted from 0. */
  readonly index: number;

  constructor(index: number, cause: unknown) {
    super(`Event ${index} of the batch`, { cause });
    this.index = index;
  }
}

export function reply(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}

/** Errors that sending again cannot mend. */
const REFUSALS = [
  [ValidationError, 400],
  [SerializationError, 400],
  [InstanceNotFoundError, 404],
  [InstanceFinishedError, 409],
  [InstanceNotCancellableError, 409],
  [InstanceConflictError, 409],
] as const;

export function statusOf(error: unknown): number {
  if (error instanceof BatchError) return statusOf(error.cause);
  if (error instanceof Problem) return error.status;
  return REFUSALS.find(([refusal]) => error instanceof refusal)?.[1] ?? 500;
}

/** The reply to a request that failed. Only 500s are worth sending again. */
export function replyToError(error: unknown): Response {
  if (error instanceof BatchError) return replyWith(error.cause, { index: error.index });
  return replyWith(error, {});
}

function replyWith(error: unknown, more: object): Response {
  const status = statusOf(error);
  const retryable = status >= 500;
  if (error instanceof Problem) {
    return reply(status, { error: error.message, error_type: error.type, retryable, ...more }, error.headers);
  }
  // What others threw may tell of the database or the code, which is nothing for senders; the log has it.
  const [message, type] =
    error instanceof RomancyError
      ? [error.message, error.name]
      : ["The request could not be handled.", "InternalError"];
  return reply(status, { error: message, error_type: type, retryable, ...more });
}
