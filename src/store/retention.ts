/** The part of the port that is about removing what has ended. Each method is one transaction. */

/** An instance that began by itself and has ended, with all that belongs to it: children, theirs, what each went on as. */
export interface EndedTree {
  /** The instance's id, and its tree's. */
  readonly id: string;
  /** What it came to, or what it went on as came to. */
  readonly status: string;
  /** Whether something of the tree has not ended, or not ended before the time. */
  readonly isHeld: boolean;
}

/** A place in the order in which instances were created. */
export interface CreatedPlace {
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly id: string;
}

/** Which trees to look at. */
export interface EndedFilter {
  /** Their first instance has ended before that, in epoch milliseconds. */
  readonly before: number;
  /** Of these workflows; `undefined` for all. */
  readonly workflows: readonly string[] | undefined;
  /** Not of these. */
  readonly others: readonly string[];
  /** Behind this place. */
  readonly after: CreatedPlace;
  /** Instances that are looked at, whatever they are. */
  readonly limit: number;
}

/** What a look has found. */
export interface EndedPage {
  /** In the order in which they were created. */
  readonly trees: readonly EndedTree[];
  /** Where the next look begins; `undefined` when there is nothing behind. */
  readonly next: CreatedPlace | undefined;
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
  /** Trees among the next instances that were created before the time. */
  ended(filter: EndedFilter): Promise<EndedPage>;
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
