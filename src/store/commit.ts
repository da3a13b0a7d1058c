/**
 * The commit protocol: how a batch of changes becomes durable.
 *
 * 1. Fencing: an advance writes only where `epoch` is still the committer's; else it is `fenced`, and nothing is written.
 * 2. Isolation: a change that the database refuses touches no other. A batch that was refused is tried in halves, so
 *    that one bad change among n costs about 2 log n transactions.
 * 3. A transaction that gives way in a deadlock did not take place, for certain, and is made again at once.
 * 4. No change takes place twice: when the answer to a commit was lost, it is looked for what became of each.
 */
import type { Advance, Change, ChangeResult, Create, Deliver, Publish, Retry } from "../core/commit.ts";
import type { NewEvent } from "../core/history.ts";
import { publishedTo } from "../core/outgoing.ts";
import { applyChange, existing } from "./batch/each.ts";
import { inboxMessage, type Mailed } from "./batch/mail.ts";
import { NotTogetherError } from "./batch/not-together.ts";
import { isPlain, isReceiving, isReport } from "./batch/writes.ts";
import type { Connection, Database } from "./database.ts";
import { eventOf, eventRow } from "./rows.ts";
import type { Runner } from "./runner.ts";
import { lastOfChain } from "./statements/chains.ts";
import { eventAt, hasEvent, hasRetried } from "./statements/history.ts";
import { type EvidenceRow, evidenceOf } from "./statements/instances.ts";
import { inTransaction } from "./transaction.ts";

/** Applies all of the changes in one transaction; rejects when the database refuses one of them, or is not there. */
type Apply<C> = (changes: readonly C[]) => Promise<ChangeResult[]>;

/** Of a transaction that gives way again and again; then it is the caller's to wait. */
const MOST_TRIES = 5;

/** Messages from outside of instances. */
type Mail = Deliver | Publish;

/** The ways to apply a batch. */
export interface Batches {
  /** Changes one after another. */
  readonly each: Apply<Change>;
  /** For many rows at once; absent where `each` is as good. */
  readonly forms?: BatchForms;
}

export interface BatchForms {
  /** For changes of instances' rows, histories and outboxes, and for their children's starts. */
  readonly plain: Apply<Create | Advance>;
  /** For the same of those that have a parent, and end. */
  readonly reports: Apply<Advance>;
  /** For the same of those that receive from channels. */
  readonly receives: Apply<Advance>;
  /** For messages from outside. */
  readonly mail: (changes: readonly Mail[]) => Promise<Mailed[]>;
}

export class Committer {
  readonly #database: Database;
  readonly #runner: Runner;
  readonly #batches: Batches;

  constructor(database: Database, runner: Runner, batches: Batches) {
    this.#database = database;
    this.#runner = runner;
    this.#batches = batches;
  }

  /** Results in the order of the changes. Rejects only with transient errors: the caller tries again, in doubt then. */
  async commit(changes: readonly Change[], inDoubt: boolean): Promise<ChangeResult[]> {
    return inDoubt ? this.#commitDoubtful(changes) : this.#commitAll(changes);
  }

  /** What became of a change whose commit was not answered; `undefined` when it did not take place. */
  async lookFor(connection: Connection, change: Change): Promise<ChangeResult | undefined> {
    switch (change.type) {
      case "create": {
        const [row] = await this.#runner.all(connection, evidenceOf, { id: change.instance.id });
        return row && judgeCreate(change, row);
      }
      case "advance":
        return this.#lookForAdvance(connection, change);
      case "retry":
        return this.#lookForRetry(connection, change);
      default:
        // A message is delivered once more: those who have it already do not get it again.
        return undefined;
    }
  }

  /** A second try would find an instance that goes on. */
  async #lookForRetry(connection: Connection, { instanceId, at }: Retry): Promise<ChangeResult | undefined> {
    const [last] = await this.#runner.all(connection, lastOfChain, { id: instanceId });
    const found = await this.#runner.all(connection, hasRetried, { instanceId: last?.instance_id ?? instanceId, at });
    return found.length > 0 ? { type: "delivered", receivers: found.length } : undefined;
  }

  async #lookForAdvance(connection: Connection, change: Advance): Promise<ChangeResult | undefined> {
    const { instanceId: id, events, actions = [] } = change;
    const [row] = await this.#runner.all(connection, evidenceOf, { id });
    // The epoch only rises: if it is still ours, nobody else has written meanwhile.
    if (row?.epoch !== change.epoch) return { type: "fenced" };
    const hasEnded = row.completed_at !== null && change.patch !== undefined;
    const [first] = events;
    // What leaves no trace is done once more with the same effect.
    if (first && !hasEnded) {
      const found = await this.#runner.all(connection, hasEvent, eventRow(id, first));
      if (found.length === 0) return undefined;
    }
    const answers: (NewEvent | undefined)[] = [];
    for (const { seq } of actions) {
      const [answer] = await this.#runner.all(connection, eventAt, { instanceId: id, seq });
      answers.push(answer && eventOf(answer));
    }
    const isThere = hasEnded || first !== undefined || answers.some((answer) => answer !== undefined);
    if (!isThere) return undefined;
    // Whom its messages came to is not known.
    const unheard = publishedTo(change);
    return { type: "applied", ...(actions.length > 0 && { answers }), ...(unheard.length > 0 && { unheard }) };
  }

  /** What has a batch's form in one transaction for each form, the rest in another. */
  async #commitAll(changes: readonly Change[]): Promise<ChangeResult[]> {
    const { each, forms } = this.#batches;
    if (!forms) return this.#commitBatch(changes, each);
    const results = new Map<Change, ChangeResult>();
    const commit = async <C extends Change>(of: readonly C[], apply: Apply<C>): Promise<void> => {
      const came = await this.#commitBatch(of, apply);
      for (const [index, change] of of.entries()) results.set(change, came[index] as ChangeResult);
    };
    // Each form takes what is its own of what is left; most batches are plain, and are looked through once.
    let left = changes;
    const take = <C extends Change>(isOwn: (change: Change) => change is C): C[] => {
      const own: C[] = [];
      const others: Change[] = [];
      for (const change of left) {
        if (isOwn(change)) own.push(change);
        else others.push(change);
      }
      left = others;
      return own;
    };
    await commit(take(isPlain), forms.plain);
    await commit(take(isReport), forms.reports);
    await commit(take(isReceiving), forms.receives);
    await commit(take(isMail), async (mails) => this.#settleMail(mails, await forms.mail(mails)));
    await commit(left, each);
    return changes.map((change) => results.get(change) as ChangeResult);
  }

  /** What an instance did not take may be for what it went on as, and is judged by itself. */
  async #settleMail(changes: readonly Mail[], mailed: readonly Mailed[]): Promise<ChangeResult[]> {
    const settled: ChangeResult[] = [];
    for (const [index, change] of changes.entries()) {
      const { receivers, missed } = mailed[index] as Mailed;
      const others: ChangeResult[] = [];
      for (const instanceId of missed) others.push(await this.#commitOne(deliverTo(instanceId, change)));
      const reached = others.reduce(
        (sum, other) => sum + (other.type === "delivered" ? other.receivers : 0),
        receivers,
      );
      const [only] = change.type === "deliver" && change.instanceId !== undefined ? others : [];
      settled.push(only ?? { type: "delivered", receivers: reached });
    }
    return settled;
  }

  async #commitBatch<C extends Change>(changes: readonly C[], apply: Apply<C>): Promise<ChangeResult[]> {
    if (changes.length === 0) return [];
    try {
      return await this.#givingWay(() => apply(changes));
    } catch (error) {
      if (!(error instanceof NotTogetherError) && this.#database.isTransient(error)) throw error;
      const [first] = changes;
      if (changes.length === 1 && first) return [await this.#commitOne(first)];
      const half = Math.ceil(changes.length / 2);
      return [
        ...(await this.#commitBatch(changes.slice(0, half), apply)),
        ...(await this.#commitBatch(changes.slice(half), apply)),
      ];
    }
  }

  async #commitOne(change: Change): Promise<ChangeResult> {
    try {
      return await this.#givingWay(() =>
        inTransaction(this.#database, (transaction) => applyChange(transaction, this.#runner, change)),
      );
    } catch (error) {
      if (this.#database.isTransient(error)) throw error;
      return (await this.#found(change)) ?? { type: "refused", error };
    }
  }

  async #givingWay<T>(transact: () => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await transact();
      } catch (error) {
        if (tried === MOST_TRIES || !this.#database.isDeadlock?.(error)) throw error;
      }
    }
  }

  /** What stands in an advance's way may be itself: a try that was given up, and went through after all. */
  async #found(change: Change): Promise<ChangeResult | undefined> {
    if (change.type !== "advance") return undefined;
    try {
      const found = await this.lookFor(this.#database.reader, change);
      return found?.type === "applied" ? found : undefined;
    } catch (error) {
      if (this.#database.isTransient(error)) throw error;
      // What the database cannot even be asked for, it has not taken.
      return undefined;
    }
  }

  async #commitDoubtful(changes: readonly Change[]): Promise<ChangeResult[]> {
    const results: (ChangeResult | undefined)[] = [];
    const created = new Set<string>();
    for (const change of changes) {
      const result = await this.lookFor(this.#database.reader, change);
      // Of two creations of one id the first one counts.
      const isSecond = change.type === "create" && result?.type === "applied" && created.has(change.instance.id);
      results.push(isSecond ? await existing(this.#runner.on(this.#database.reader), change.instance.id) : result);
      if (change.type === "create") created.add(change.instance.id);
    }
    const missing = changes.filter((_, index) => results[index] === undefined);
    const late: ChangeResult[] = [];
    for (const [index, result] of (await this.#commitAll(missing)).entries()) {
      const change = missing[index] as Change;
      // A creation that was under way when it was looked for exists by now, and may be ours.
      const found = result.type === "exists" ? await this.lookFor(this.#database.reader, change) : undefined;
      late.push(found ?? result);
    }
    return results.map((result) => result ?? (late.shift() as ChangeResult));
  }
}

/** The same message for one instance. */
function deliverTo(instanceId: string, { type, message }: Mail): Deliver {
  return { type: "deliver", instanceId, message: type === "publish" ? inboxMessage(message) : message };
}

function isMail(change: Change): change is Mail {
  return change.type === "deliver" || change.type === "publish";
}

/** Whether what is there under the id is what was to be created. */
function judgeCreate({ instance }: Create, row: EvidenceRow): ChangeResult {
  const { workerId, createdAt, workflow, input } = instance;
  const isSame = row.created_at === createdAt && row.workflow === workflow && row.input === input;
  const isOurs = isSame && (workerId === null || (row.worker_id === workerId && row.epoch === 1));
  return isOurs ? { type: "applied" } : { type: "exists", workflow: row.workflow, input: row.input };
}
