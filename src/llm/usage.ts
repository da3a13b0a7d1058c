/** What calls of models have cost, in tokens: written into each record, and summed up over an instance. */
import type { LanguageModelUsage } from "ai";
import { ActivityError, type Romancy, type WorkflowContext } from "../index.ts";
import type { ModelResult } from "./sdk.ts";

/** Tokens of one call of a model, or of many. What a provider does not tell counts as 0. */
export interface TokenUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  /** Of the input tokens, those that were read from the provider's cache. */
  readonly cachedInputTokens: number;
  /** Of the output tokens, those that the model thought with. */
  readonly reasoningTokens: number;
}

/** Tokens of several calls. */
export interface TotalUsage extends TokenUsage {
  /** How many calls were answered, in a usable way or not. */
  readonly calls: number;
}

/** Where a record keeps what it has cost; part of the history. */
const USAGE = "~usage";

/** A value that is recorded together with what it has cost. */
export type Recorded<T extends object> = T & { readonly [USAGE]: TokenUsage };

const NO_TOKENS: TokenUsage = {
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  cachedInputTokens: 0,
  reasoningTokens: 0,
};

const NOTHING: TotalUsage = { ...NO_TOKENS, calls: 0 };

/** Of calls whose context is still in use. */
const totals = new WeakMap<WorkflowContext, TotalUsage>();

export function withUsage<T extends object>(value: T, usage: TokenUsage): Recorded<T> {
  return { ...value, [USAGE]: usage };
}

/** Takes off what it has cost, and counts it. */
export function countUsage<T extends object>(ctx: WorkflowContext, recorded: Recorded<T>): T {
  const { [USAGE]: usage, ...value } = recorded;
  add(ctx, usage);
  return value as unknown as T;
}

/** Counts what a call has cost whose answer was of no use. */
export function countFailure(ctx: WorkflowContext, error: unknown): void {
  const usage = usageOfFailure(error);
  if (usage) add(ctx, usage);
}

function add(ctx: WorkflowContext, usage: TokenUsage): void {
  totals.set(ctx, sum(totals.get(ctx) ?? NOTHING, usage));
}

/**
 * What the workflow's calls of models have cost so far, the same again on replay: to keep within a budget. Of a call that
 * was retried, only the last attempt is counted here; `getUsage` counts them all.
 *
 * @example
 * while (usageSoFar(ctx).totalTokens < 100_000) await improve(ctx);
 */
export function usageSoFar(ctx: WorkflowContext): TotalUsage {
  return totals.get(ctx) ?? NOTHING;
}

/**
 * What all calls of models of an instance have cost that are recorded, attempts whose answer was of no use included.
 *
 * @throws InstanceNotFoundError
 * @example
 * const { totalTokens } = await getUsage(app, handle.id);
 */
export async function getUsage(app: Pick<Romancy, "getHistory">, instanceId: string): Promise<TotalUsage> {
  let total = NOTHING;
  for (const entry of await app.getHistory(instanceId)) {
    const usage =
      entry.kind === "activity_completed"
        ? read(entry.result, USAGE)
        : entry.kind === "activity_failed" || entry.kind === "attempt_failed"
          ? usageOfFailure(entry.error)
          : undefined;
    if (usage) total = sum(total, usage);
  }
  return total;
}

/** What an attempt has cost that failed because of the model's answer: the error says so, or the one that it wraps. */
function usageOfFailure(error: unknown): TokenUsage | undefined {
  if (error instanceof ActivityError) return usageOfFailure(error.cause);
  if (!(error instanceof Error)) return undefined;
  return error.name === "ModelOutputError" ? read(error, "usage") : usageOfFailure(error.cause);
}

function read(holder: unknown, key: string): TokenUsage | undefined {
  if (typeof holder !== "object" || holder === null) return undefined;
  return (holder as Record<string, TokenUsage | undefined>)[key];
}

function sum(total: TotalUsage, usage: TokenUsage): TotalUsage {
  return {
    calls: total.calls + 1,
    inputTokens: total.inputTokens + usage.inputTokens,
    outputTokens: total.outputTokens + usage.outputTokens,
    totalTokens: total.totalTokens + usage.totalTokens,
    cachedInputTokens: total.cachedInputTokens + usage.cachedInputTokens,
    reasoningTokens: total.reasoningTokens + usage.reasoningTokens,
  };
}

/** As providers tell it. */
export function usageOfResult({ inputTokens, outputTokens }: ModelResult["usage"]): TokenUsage {
  return tokens(inputTokens.total, outputTokens.total, inputTokens.cacheRead, outputTokens.reasoning);
}

/** As the AI SDK tells it. */
export function usageOfSdk(usage: LanguageModelUsage | undefined): TokenUsage {
  if (!usage) return NO_TOKENS;
  const { inputTokens, outputTokens, inputTokenDetails, outputTokenDetails, totalTokens } = usage;
  const { cacheReadTokens } = inputTokenDetails;
  return tokens(inputTokens, outputTokens, cacheReadTokens, outputTokenDetails.reasoningTokens, totalTokens);
}

function tokens(input = 0, output = 0, cachedInputTokens = 0, reasoningTokens = 0, total = input + output): TokenUsage {
  return { inputTokens: input, outputTokens: output, totalTokens: total, cachedInputTokens, reasoningTokens };
}
