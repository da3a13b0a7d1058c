/** The part of the port that is about removing what has ended. Each method is one transaction. */

/** An instance that began by itself and has ended, with all that belongs to it: children, theirs, what each went on as. */
export interface EndedTree {
  /** The instance's id, and its tree's. */
  readonly id: string;
  /** When the instance has ended; others of its tree may have ended later. */
  readonly endedAt: number;
  /** What it came to, or what it went on as came to. */
  readonly status: string;
  /** Whether something of the tree has not ended, or not ended before the time. */
  readonly isHeld: boolean;
}

/** Which trees to look at. */
export interface EndedFilter {
  readonly workflow: string;
  /** Epoch milliseconds. */
  readonly before: number;
  /** Only trees behind this one. */
  readonly after: { readonly endedAt: number; readonly id: string };
  readonly limit: number;
}

/** What a removal came to. */
export interface Removal {
  readonly instances: number;
  /** Trees of which nothing is left. */
  readonly trees: readonly string[];
  /** Trees that were too much for one transaction; to be asked for again, unless nothing was removed. */
  readonly left: readonly string[];
}

export interface StoredRetention {
  /** The workflow that comes next behind that name and has instances; `undefined` behind the last one. */
  nextWorkflow(name: string): Promise<string | undefined>;
  /** Trees of a workflow, by when they ended. */
  ended(filter: EndedFilter): Promise<EndedTree[]>;
  /** How many instances the trees have. */
  count(trees: readonly string[]): Promise<number>;
  /**
   * Removes trees that have ended before that time, with histories and all else, as many as one transaction may take.
   * Those that somebody else is at, or that do not fit the time any more, are left out. A tree that is larger than a
   * transaction loses its members bit by bit, and its first instance at last.
   */
  remove(trees: readonly string[], before: number): Promise<Removal>;
  /** Removes events for brokers that were given up before that time; tells whether more may be left. */
  forgetGivenUp(before: number): Promise<boolean>;
}
