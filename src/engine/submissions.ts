import type { Advance, ChangeResult, InstancePatch } from "../core/commit.ts";
import type { Draft } from "./draft.ts";
import type { Journal } from "./journal.ts";

export interface SubmissionsHost {
  readonly id: string;
  readonly epoch: number;
  /** Whether it may write still. */
  readonly mayWrite: boolean;
  readonly journal: Journal;
  readonly draft: Draft;
  /** What goes along when there is nothing else to be said of the instance. */
  progress(): InstancePatch | undefined;
  /** What came of it; whether it was applied. */
  judge(result: ChangeResult | undefined, advance: Advance | undefined): boolean;
  /** It was applied, and nothing is newer than it. */
  onDurable(): void;
}

/** The commits of one run: one at a time waits for its batch, and takes all that is in the draft by then. */
export class Submissions {
  readonly #host: SubmissionsHost;
  /** One that the journal has not put into a batch yet. */
  #queued: Promise<boolean> | undefined;
  /** The last one; `undefined` when all is durable. */
  #last: Promise<boolean> | undefined;

  constructor(host: SubmissionsHost) {
    this.#host = host;
  }

  /** Whether anything is not durable yet. */
  get isPending(): boolean {
    return this.#last !== undefined;
  }

  /**
   * Has everything unsent committed, and the patch with it. Resolves when it and all before is judged, with whether it
   * was applied; `undefined` when all is durable already.
   */
  send(patch?: InstancePatch): Promise<boolean> | undefined {
    const { draft } = this.#host;
    if (patch) draft.patch = patch;
    if (draft.isEmpty) return this.#last;
    this.#queued ??= this.#submit();
    this.#last = this.#queued;
    return this.#queued;
  }

  #submit(): Promise<boolean> {
    const host = this.#host;
    let advance: Advance | undefined;
    const submission = host.journal
      .submit(() => {
        this.#queued = undefined;
        if (!host.mayWrite) return undefined;
        host.draft.patch ??= host.progress();
        advance = host.draft.take(host.id, host.epoch);
        return advance;
      }, host.id)
      .then((result) => {
        if (this.#last === submission) this.#last = undefined;
        const applied = host.judge(result, advance);
        if (applied && !this.isPending) host.onDurable();
        return applied;
      });
    return submission;
  }
}
