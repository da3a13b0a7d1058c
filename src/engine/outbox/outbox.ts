/** `app.outbox`: what operators see of events for brokers, and can do with them. */
import { ValidationError } from "../../core/errors.ts";
import { checkKeys, type KnownKeys } from "../../core/known-keys.ts";
import type { OutboxRecord, Store } from "../../store/store.ts";
import { checkText } from "../../workflow/activity.ts";
import type {
  Outbox,
  OutboxEntry,
  OutboxFilter,
  OutboxPage,
  OutboxRetryFilter,
  OutboxStatus,
} from "../../workflow/outbox.ts";
import { foreignToken, readPage } from "../paging.ts";
import { publishedEvent } from "./outgoing.ts";

interface OutboxHost {
  readonly store: Store;
  /** There are events to be sent. */
  tellOfEvents(): void;
}

/** The statuses of events that are not sent again by themselves. */
const GIVEN_UP: readonly OutboxStatus[] = ["invalid", "failed", "expired"];

const STATUSES: ReadonlySet<unknown> = new Set<OutboxStatus>(["pending", "published", ...GIVEN_UP]);

const KNOWN: KnownKeys<OutboxFilter> = { status: true, instanceId: true, limit: true, pageToken: true };

const KNOWN_OF_RETRY: KnownKeys<OutboxRetryFilter> = { status: true, instanceId: true };

/** @param host gives the running app, or throws */
export function outboxOf(host: () => OutboxHost): Outbox {
  return {
    list: async (filter = {}) => list(host().store, filter),
    async retry(which = {}) {
      const running = host();
      const count = await running.store.outbox.retry(retryOf(which));
      if (count > 0) running.tellOfEvents();
      return count;
    },
  };
}

async function list(store: Store, filter: OutboxFilter): Promise<OutboxPage> {
  checkKeys("A filter", filter, KNOWN);
  const { status, instanceId, limit, pageToken } = filter;
  if (instanceId !== undefined) checkText("instance", instanceId);
  if (status !== undefined) checkStatus(status);
  const read = (most: number): Promise<OutboxRecord[]> => {
    const after = pageToken === undefined ? 0 : readToken(pageToken);
    return store.outbox.list({ status, instanceId, after, limit: most });
  };
  const { rows, ...page } = await readPage(limit, read, ({ position }) => String(position));
  return { events: rows.map(entryOf), ...page };
}

function readToken(token: string): number {
  if (typeof token === "string" && /^\d{1,15}$/.test(token)) return Number(token);
  throw foreignToken();
}

function retryOf(which: string | OutboxRetryFilter): Parameters<Store["outbox"]["retry"]>[0] {
  if (typeof which === "string") return { id: which, instanceId: null, statuses: ["pending", ...GIVEN_UP] };
  checkKeys("A filter", which, KNOWN_OF_RETRY);
  const { status, instanceId = null } = which;
  if (instanceId !== null) checkText("instance", instanceId);
  if (status === undefined) return { id: null, instanceId, statuses: GIVEN_UP };
  checkStatus(status);
  if ((status as string) === "published") throw new ValidationError("What is published cannot be retried.");
  return { id: null, instanceId, statuses: [status] };
}

function checkStatus(status: unknown): void {
  if (STATUSES.has(status)) return;
  throw new ValidationError(`The status ${String(status)} must be one of ${[...STATUSES].join(", ")}.`);
}

function entryOf(record: OutboxRecord): OutboxEntry {
  const { id, instanceId, attempts, lastError, createdAt, nextAt, publishedAt } = record;
  const status = record.status as OutboxStatus;
  return {
    id,
    instanceId,
    status,
    event: publishedEvent(record),
    attempts,
    lastError: lastError ?? undefined,
    createdAt: new Date(createdAt),
    nextAttemptAt: status === "pending" ? new Date(nextAt) : undefined,
    publishedAt: publishedAt === null ? undefined : new Date(publishedAt),
  };
}
