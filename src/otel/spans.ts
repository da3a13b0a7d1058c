/**
 * Spans. An instance may live for months, in one process after the other, and a span lives in one process: so the one
 * that all others of an instance hang on, `start_workflow/NAME`, ends when the instance is made, and its context is
 * kept with the instance. The tree is the same whoever runs the instance, and whoever dies meanwhile.
 */
import {
  type Attributes,
  type Context,
  context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import type { ActivityStart, Hooks, TraceContext } from "../index.ts";
import { attemptAttributes, eventAttributes, instanceAttributes, nameOf } from "./attributes.ts";
import { contextFrom, keepOf } from "./propagation.ts";

/** Attempts whose spans are remembered, so that the next attempt is linked to them. */
const MOST_ATTEMPTS = 10_000;

/** What has happened already. */
interface Past {
  readonly name: string;
  readonly kind?: SpanKind;
  readonly parent: TraceContext | undefined;
  readonly startTime: Date;
  /** Milliseconds. */
  readonly duration: number;
  readonly attributes: Attributes;
  readonly links?: Link[];
  /** Why it counts as failed. */
  readonly error?: unknown;
}

export function spanHooks(tracer: Tracer): Hooks {
  const last = new LastAttempts();

  const tell = (past: Past): void => {
    const { name, kind = SpanKind.INTERNAL, parent, startTime, duration, attributes, links = [] } = past;
    const span = tracer.startSpan(name, { kind, attributes, links, startTime }, contextFrom(parent));
    if ("error" in past) fail(span, past.error);
    span.end(new Date(startTime.getTime() + duration));
  };

  /** Makes the span around what runs. */
  const around = (span: Span, parent: Context, run: () => Promise<void>): void => {
    const running = context.with(trace.setSpan(parent, span), run);
    running.then(
      () => span.setStatus({ code: SpanStatusCode.OK }).end(),
      (error: unknown) => {
        fail(span, error);
        span.end();
      },
    );
  };

  return {
    captureContext(maker) {
      // Whoever starts it from outside, or from an activity, is in the context of this moment.
      const parent = maker.traceContext ? contextFrom(maker.traceContext) : context.active();
      if (maker.kind === "event") return keepOf(parent);
      const { instanceId, workflowName } = maker;
      const attributes = instanceAttributes({ instanceId, workflowName, traceContext: undefined });
      const span = tracer.startSpan(`start_workflow/${workflowName}`, { kind: SpanKind.PRODUCER, attributes }, parent);
      span.end();
      return keepOf(trace.setSpan(parent, span));
    },
    withContext(kept, run) {
      context.with(contextFrom(kept), run);
    },
    aroundActivity(fact, run) {
      const parent = contextFrom(fact.traceContext);
      const previous = last.of(fact);
      const span = tracer.startSpan(
        `${fact.isCompensation ? "compensation" : "activity"}/${fact.activityName}`,
        { attributes: attemptAttributes(fact), links: previous ? [{ context: previous }] : [] },
        parent,
      );
      last.set(fact, span.spanContext());
      around(span, parent, run);
    },
    aroundSend(fact, run) {
      const parent = contextFrom(fact.traceContext);
      const attributes = { ...eventAttributes(fact), "messaging.operation.type": "send" };
      around(tracer.startSpan(`send/${fact.eventType}`, { kind: SpanKind.PRODUCER, attributes }, parent), parent, run);
    },
    onWorkflowComplete(fact) {
      tell(workflow(fact, "completed"));
    },
    onWorkflowFailed(fact) {
      tell({ ...workflow(fact, "failed"), error: fact.error });
    },
    onWorkflowCancelled(fact) {
      const { reason } = fact;
      tell(workflow(fact, "cancelled", reason === undefined ? {} : { "romancy.cancel.reason": reason }));
    },
    onRecur(fact) {
      tell(workflow(fact, "recurred", { "romancy.successor.id": fact.successorId }));
    },
    onEventReceived(fact) {
      const { eventType, traceContext: parent = keepOf(context.active()) } = fact;
      const attributes = { ...eventAttributes(fact), "romancy.event.receivers": fact.receivers };
      const now = { startTime: new Date(), duration: 0 };
      tell({ name: `event_received/${eventType}`, kind: SpanKind.CONSUMER, parent, ...now, attributes });
    },
    onEventWaitComplete(fact) {
      const { attributes: received } = fact;
      const sender = trace.getSpanContext(contextFrom((received["extensions"] ?? {}) as TraceContext));
      tell({ ...wait(fact), links: sender ? [{ context: sender }] : [] });
    },
    onEventTimeout(fact) {
      tell({ ...wait(fact), error: new Error(`Nothing came within ${fact.duration} ms.`) });
    },
    onTimerFired(fact) {
      const { timerId, startTime, expiresAt, firedAt } = fact;
      const duration = firedAt.getTime() - startTime.getTime();
      const times = { "romancy.timer.expires_at": expiresAt.toISOString() };
      const attributes = { ...instanceAttributes(fact), "romancy.timer.id": timerId, ...times };
      tell({ name: `timer/${timerId}`, parent: fact.traceContext, startTime, duration, attributes });
    },
    onReplayComplete(fact) {
      const { workflowName, duration, historyEvents, cacheHits } = fact;
      const counts = { "romancy.replay.history_events": historyEvents, "romancy.replay.cache_hits": cacheHits };
      const attributes = { ...instanceAttributes(fact), ...counts };
      const startTime = new Date(Date.now() - duration);
      tell({ name: `replay/${workflowName}`, parent: fact.traceContext, startTime, duration, attributes });
    },
  };
}

type WorkflowEnd = Parameters<NonNullable<Hooks["onWorkflowComplete"]>>[0];

function workflow(
  fact: Omit<WorkflowEnd, "output">,
  status: "completed" | "failed" | "cancelled" | "recurred",
  more: Attributes = {},
): Omit<Past, "links" | "error"> {
  const { workflowName, traceContext: parent, startTime, duration } = fact;
  const attributes = { ...instanceAttributes(fact), "romancy.workflow.status": status, ...more };
  return { name: `workflow/${workflowName}`, parent, startTime, duration, attributes };
}

function wait(fact: Parameters<NonNullable<Hooks["onEventTimeout"]>>[0]): Omit<Past, "links" | "error"> {
  const { operationId, waitFor, traceContext: parent, startTime, duration } = fact;
  const attributes = { ...instanceAttributes(fact), "romancy.wait.id": operationId, "romancy.wait.kind": waitFor.kind };
  return { name: `event_wait/${nameOf(waitFor)}`, parent, startTime, duration, attributes };
}

function fail(span: Span, error: unknown): void {
  const message = textOf(error);
  span.recordException(error instanceof Error ? error : message);
  span.setAttribute("error.type", error instanceof Error ? error.name : "_OTHER");
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Of whatever was thrown; not all of that has a text. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return typeof error;
  }
}

/** The spans of the last attempts of operations, the oldest forgotten first. */
class LastAttempts {
  readonly #spans = new Map<string, SpanContext>();

  /** Of the operation's attempt before this one. */
  of(fact: ActivityStart): SpanContext | undefined {
    return fact.attempt === 1 ? undefined : this.#spans.get(keyOf(fact));
  }

  set(fact: ActivityStart, span: SpanContext): void {
    const key = keyOf(fact);
    this.#spans.delete(key);
    this.#spans.set(key, span);
    const [oldest] = this.#spans.keys();
    if (this.#spans.size > MOST_ATTEMPTS && oldest !== undefined) this.#spans.delete(oldest);
  }
}

function keyOf({ instanceId, activityId }: ActivityStart): string {
  return `${instanceId}/${activityId}`;
}
