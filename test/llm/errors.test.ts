/** Which failures of a call are worth another attempt, and what is kept of them. */
import { describe, expect, it, vi } from "vitest";
import {
  ActivityError,
  MissingPackageError,
  RetryLaterError,
  TerminalError,
  ValidationError,
} from "../../src/index.ts";
import { attemptError, ModelCallError, ModelOutputError, revive } from "../../src/llm/errors.ts";
import { readRetryAfter } from "../../src/llm/retry-after.ts";

const name = { provider: "mock", model: "m" };

/** An error as the AI SDK throws it. */
function sdkError(kind: string, fields: object = {}, message = "no"): Error {
  return Object.assign(new Error(message), { name: `AI_${kind}`, ...fields });
}

describe("the error of an attempt", () => {
  it("is final when another attempt would make the same mistake", () => {
    const mistakes = [
      sdkError("LoadAPIKeyError"),
      sdkError("InvalidPromptError", { prompt: "secret" }),
      sdkError("APICallError", { statusCode: 400 }),
      sdkError("APICallError", { isRetryable: false }),
      sdkError("DownloadError", { statusCode: 404 }),
      sdkError("NoObjectGeneratedError", { text: '{"a', finishReason: "length" }),
      sdkError("NoObjectGeneratedError", { text: "", finishReason: "content-filter" }),
      new ValidationError("unknown provider"),
      new MissingPackageError("It needs", "ai"),
    ];
    for (const mistake of mistakes) {
      const error = attemptError(mistake, name, false);
      expect(error, mistake.name).toBeInstanceOf(TerminalError);
      expect(JSON.stringify(Object.entries(error.cause as object))).not.toContain("secret");
    }
  });

  it("is not when it may go better", () => {
    const transient = [
      sdkError("APICallError", { statusCode: 200 }, "Invalid JSON response"),
      sdkError("APICallError", { cause: new Error("ECONNRESET") }),
      sdkError("StreamProviderError", { statusCode: 529 }),
      sdkError("EmptyResponseBodyError"),
      sdkError("NoObjectGeneratedError", { text: "{", finishReason: "stop" }),
      sdkError("DownloadError", { statusCode: 503 }),
      new Error("anything else"),
    ];
    for (const error of transient.map((one) => attemptError(one, name, false))) {
      expect(error).not.toBeInstanceOf(TerminalError);
    }
  });

  it("waits when the provider says so, by a RetryLaterError", () => {
    const busy = sdkError("APICallError", { statusCode: 429, responseHeaders: { "retry-after": "7" } });
    const error = attemptError(busy, name, false);
    expect(error).toBeInstanceOf(RetryLaterError);
    expect(error).toMatchObject({ retryAfter: 7_000, cause: { name: "ModelCallError", retryAfter: 7_000 } });
  });

  it("says what a stream reported, whatever form that had", () => {
    const said = (thrown: unknown): string => attemptError(thrown, name, false).message;
    expect(said({ type: "overloaded_error", message: "Overloaded" })).toBe("The call of mock/m failed: Overloaded.");
    expect(said("text")).toBe("The call of mock/m failed: text.");
    expect(said({ odd: true })).toBe("The call of mock/m failed: the provider broke off its answer.");
    expect(said(undefined)).toBe("The call of mock/m failed: undefined.");
    expect(attemptError({ message: "no", statusCode: 400 }, name, false)).toBeInstanceOf(TerminalError);
    expect(attemptError({ message: "no", isRetryable: false }, name, false)).toBeInstanceOf(TerminalError);
  });

  it("keeps nothing of a sensitive call", () => {
    const secrets = [
      sdkError("APICallError", { statusCode: 500, responseBody: "secret" }, "cannot answer secret"),
      { message: "cannot answer secret" },
      sdkError("NoObjectGeneratedError", { text: "secret", cause: new Error("secret is no JSON") }),
      sdkError("TypeValidationError", { value: "secret" }, "secret is no number"),
    ];
    for (const secret of secrets) {
      const error = attemptError(secret, name, true);
      expect(JSON.stringify([error.message, error.stack, Object.entries(error)])).not.toContain("secret");
    }
  });

  it("keeps the beginning of a long answer", () => {
    expect(new ModelCallError(name, "no.", { responseBody: "x".repeat(9_999) }).responseBody).toHaveLength(2_000);
  });
});

describe("the error that a workflow gets", () => {
  /** What has come out of a history: of the right name, and of no class. */
  const stored = (error: Error, cause?: Error): Error =>
    Object.assign(new Error(error.message, { cause }), Object.fromEntries(Object.entries(error)), { name: error.name });

  it("has the typed error as its cause, out of the one that steered the retries", () => {
    const typed = stored(new ModelCallError(name, "no.", { status: 500 }));
    for (const wrapped of [
      typed,
      new TerminalError("no", { cause: typed }),
      new RetryLaterError("no", 5, { cause: typed }),
    ]) {
      const revived = revive(new ActivityError("llm_call", "llm_call:1", 2, wrapped)) as ActivityError;
      expect(revived).toMatchObject({ activity: "llm_call", activityId: "llm_call:1", attempts: 2 });
      expect(revived.cause).toBeInstanceOf(ModelCallError);
    }
    const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2, cachedInputTokens: 0, reasoningTokens: 0 };
    const output = stored(new ModelOutputError(name, "no.", { text: "x", finishReason: "stop", usage }));
    expect((revive(new ActivityError("a", "a:1", 1, output)) as ActivityError).cause).toBeInstanceOf(ModelOutputError);
  });

  it("is otherwise as it was", () => {
    const own = new ActivityError("a", "a:1", 1, new TerminalError("my own"));
    expect((revive(own) as ActivityError).cause).toBeInstanceOf(TerminalError);
    const thrown = new ActivityError("a", "a:1", 1, "text");
    expect(revive(thrown)).toBe(thrown);
    expect(revive("text")).toBe("text");
  });
});

describe("how long a provider asks to wait", () => {
  it("is read from its headers", () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    const wait = (headers: Record<string, string>): number | undefined => readRetryAfter(headers);
    expect(wait({ "retry-after": "2" })).toBe(2_000);
    expect(wait({ "retry-after": "0.5" })).toBe(500);
    expect(wait({ "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" })).toBe(60_000);
    expect(wait({ "retry-after-ms": "30", "retry-after": "2" })).toBe(30);
    for (const odd of ["soon", "-5", "Wed, 31 Dec 2025 00:00:00 GMT"])
      expect(wait({ "retry-after": odd })).toBeUndefined();
    expect(wait({})).toBeUndefined();
    expect(readRetryAfter(undefined)).toBeUndefined();
    vi.useRealTimers();
  });
});
