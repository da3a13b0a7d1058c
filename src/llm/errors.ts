/** What can go wrong with a call of a model, and whether it is worth another attempt. */
import {
  ActivityError,
  MissingPackageError,
  RetryLaterError,
  RomancyError,
  TerminalError,
  ValidationError,
} from "../index.ts";
import { readRetryAfter } from "./retry-after.ts";
import { type TokenUsage, usageOfSdk } from "./usage.ts";

/** Which model was called. */
export interface ModelName {
  /** Such as `anthropic`; the AI SDK's own models say `anthropic.messages` and the like. */
  readonly provider: string;
  readonly model: string;
}

/**
 * A provider refused a call, or could not be reached. The `cause` of an `ActivityError`. Retried are 408, 409, 429, 5xx
 * and failures of the network; 400, 401, 403, 404 and the like are not.
 */
export class ModelCallError extends RomancyError {
  readonly provider: string;
  readonly model: string;
  /** The HTTP status; `undefined` when no answer came, or the answer broke off. */
  readonly status: number | undefined;
  readonly isRetryable: boolean;
  /** How long the provider asked to wait, in milliseconds. */
  readonly retryAfter: number | undefined;
  /** The first 2,000 characters of what the provider answered. Left out when the call is `sensitive`. */
  readonly responseBody: string | undefined;

  constructor(
    { provider, model }: ModelName,
    message: string,
    facts: Partial<Pick<ModelCallError, "status" | "isRetryable" | "retryAfter" | "responseBody">> & ErrorOptions = {},
  ) {
    const { status, isRetryable = true, retryAfter, responseBody, cause } = facts;
    const how = status === undefined ? "" : ` with HTTP status ${status}`;
    super("MODEL_CALL", `The call of ${provider}/${model} failed${how}: ${message}${adviceOn(status)}`, { cause });
    this.provider = provider;
    this.model = model;
    this.status = status;
    this.isRetryable = isRetryable;
    this.retryAfter = retryAfter;
    this.responseBody = responseBody?.slice(0, BODY_LENGTH);
  }
}

const BODY_LENGTH = 2_000;

function adviceOn(status: number | undefined): string {
  if (status === 401 || status === 403) return " Check the provider's API key and what it may do.";
  return status === 404 ? " Check the model's name." : "";
}

/**
 * A model answered, but not in the form that was asked for. Retried, for the next answer may be better; but not when the
 * answer was cut off by `maxTokens`, or by a filter.
 */
export class ModelOutputError extends RomancyError {
  readonly provider: string;
  readonly model: string;
  /** What the model wrote. Left out when the call is `sensitive`. */
  readonly text: string | undefined;
  readonly finishReason: string | undefined;
  readonly usage: TokenUsage;

  constructor(
    { provider, model }: ModelName,
    message: string,
    facts: Pick<ModelOutputError, "text" | "finishReason" | "usage">,
  ) {
    super("MODEL_OUTPUT", `The answer of ${provider}/${model} is not what was asked for: ${message}`);
    this.provider = provider;
    this.model = model;
    this.text = facts.text;
    this.finishReason = facts.finishReason;
    this.usage = facts.usage;
  }
}

/** A model asked for a tool that it was not given. */
export class ToolNotFoundError extends RomancyError {
  readonly tool: string;

  constructor(tool: string, known: readonly string[]) {
    const given = known.length === 0 ? "It was given none." : `It was given ${known.join(", ")}.`;
    super("TOOL_NOT_FOUND", `The model asked for the tool ${tool}. ${given}`);
    this.tool = tool;
  }
}

/** What is read of the errors of the AI SDK, which are known by their names: its classes may be loaded twice. */
interface SdkError extends Error {
  readonly statusCode?: number;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly responseBody?: string;
  readonly isRetryable?: boolean;
  readonly text?: string;
  readonly finishReason?: string;
  readonly usage?: Parameters<typeof usageOfSdk>[0];
}

/** Mistakes of the caller: the next attempt would make them again. */
const MISTAKES: ReadonlySet<string> = new Set([
  "AI_InvalidArgumentError",
  "AI_InvalidMessageRoleError",
  "AI_InvalidPromptError",
  "AI_LoadAPIKeyError",
  "AI_LoadSettingError",
  "AI_MessageConversionError",
  "AI_MissingToolResultsError",
  "AI_NoSuchModelError",
  "AI_NoSuchProviderError",
  "AI_UnsupportedFunctionalityError",
  "AI_UnsupportedModelVersionError",
]);

/**
 * The error with which an attempt is to fail: typed, and in a `TerminalError` when another attempt cannot help, in a
 * `RetryLaterError` when the provider said when one may. Of the AI SDK's error only what can be told is kept: its own
 * fields hold the prompt.
 */
export function attemptError(error: unknown, name: ModelName, isSensitive: boolean): Error {
  if (!(error instanceof Error)) return brokenStream(error, name, isSensitive);
  const { name: kind, message } = error;
  if (error instanceof MissingPackageError || error instanceof ValidationError) {
    return new TerminalError(message, { cause: error });
  }
  const isMistake = MISTAKES.has(kind) || (kind === "AI_DownloadError" && !isWorthAnother(error));
  if (isMistake) return new TerminalError(message, { cause: withoutFields(error, false) });
  if (kind === "AI_APICallError" || kind === "AI_StreamProviderError") return callError(error, name, isSensitive);
  if (USELESS.has(kind)) return outputError(error, name, isSensitive);
  return kind.startsWith("AI_") ? withoutFields(error, isSensitive) : error;
}

/** The answer is of no use, in words of the AI SDK. */
const USELESS: ReadonlySet<string> = new Set([
  "AI_NoObjectGeneratedError",
  "AI_NoOutputGeneratedError",
  "AI_ToolChoiceViolationError",
]);

const UNTOLD = "what was said is left out, for the call is sensitive.";

/** What other errors of the AI SDK carry is the value that they complain of. */
function withoutFields({ name, message, stack = "" }: Error, isSensitive: boolean): Error {
  const kept = new Error(isSensitive ? UNTOLD : message);
  return Object.assign(kept, { name, ...(!isSensitive && { stack }) });
}

function callError(error: SdkError, name: ModelName, isSensitive: boolean): Error {
  const { statusCode: status, responseHeaders, responseBody } = error;
  const isRetryable = isWorthAnother(error);
  const retryAfter = readRetryAfter(responseHeaders);
  const typed = new ModelCallError(name, isSensitive ? UNTOLD : sentence(error.message), {
    status,
    isRetryable,
    retryAfter,
    responseBody: isSensitive ? undefined : responseBody,
    ...(error.cause !== undefined && status === undefined && !isSensitive && { cause: error.cause }),
  });
  if (!isRetryable) return new TerminalError(typed.message, { cause: typed });
  return retryAfter === undefined ? typed : new RetryLaterError(typed.message, retryAfter, { cause: typed });
}

/** A status below 400 means that the answer was garbled on its way. */
function isWorthAnother({ statusCode: status, isRetryable }: SdkError): boolean {
  if (status === undefined) return isRetryable ?? true;
  return status === 408 || status === 409 || status === 429 || status >= 500 || status < 400;
}

/** Ends of an answer that the next attempt would come to as well, for the same money. */
const LIMITS: Readonly<Record<string, string>> = {
  length: " It was cut off: raise `maxTokens`.",
  "content-filter": " The provider's filter has cut it off.",
};

function outputError(error: SdkError, name: ModelName, isSensitive: boolean): Error {
  // What the schema found stands in the cause, together with what the model wrote.
  const detail = error.cause instanceof Error && !isSensitive ? ` ${error.cause.message}` : "";
  const { finishReason = "" } = error;
  const limit = Object.hasOwn(LIMITS, finishReason) ? LIMITS[finishReason] : undefined;
  const typed = new ModelOutputError(name, `${sentence(error.message)}${detail}${limit ?? ""}`, {
    text: isSensitive ? undefined : error.text,
    finishReason: error.finishReason,
    usage: usageOfSdk(error.usage),
  });
  return limit === undefined ? typed : new TerminalError(typed.message, { cause: typed });
}

/** What a provider reports in the middle of a stream is no error object, but what it has sent. */
function brokenStream(error: unknown, name: ModelName, isSensitive: boolean): Error {
  const { message, statusCode, isRetryable } = (
    typeof error === "object" && error !== null ? error : { message: String(error) }
  ) as { message?: unknown; statusCode?: number; isRetryable?: boolean };
  const text = typeof message === "string" ? message : "the provider broke off its answer";
  const retryable = isRetryable ?? (statusCode === undefined || isWorthAnother({ statusCode } as SdkError));
  const words = isSensitive ? UNTOLD : sentence(text);
  const typed = new ModelCallError(name, words, { status: statusCode, isRetryable: retryable });
  return retryable ? typed : new TerminalError(typed.message, { cause: typed });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const OURS: Readonly<Record<string, abstract new (...args: never) => Error>> = { ModelCallError, ModelOutputError };

/**
 * The error of an activity with the typed error as its cause, of its own class again: what comes out of a history has
 * lost the classes of modules.
 */
export function revive(error: unknown): unknown {
  if (!(error instanceof ActivityError)) return error;
  let { cause } = error;
  if (cause instanceof TerminalError || cause instanceof RetryLaterError) cause = cause.cause ?? cause;
  if (!(cause instanceof Error)) return error;
  const known = Object.hasOwn(OURS, cause.name) ? OURS[cause.name] : undefined;
  if (known && !(cause instanceof known)) Object.setPrototypeOf(cause, known.prototype);
  return new ActivityError(error.activity, error.activityId, error.attempts, cause);
}
