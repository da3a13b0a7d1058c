/** Sees what the app asks of its database, by way of the driver's own classes. */

/** One call of the driver, which on a server is one round trip. */
export interface Call {
  readonly connection: object;
  /** One statement, or several that are sent together. */
  readonly text: string;
}

/** What came of it. */
export interface Effect {
  /** How many statements it held. */
  readonly statements: number;
  /** Whether it changed rows. */
  readonly changed: boolean;
  /** Whether a transaction was open when it had ended. */
  readonly open: boolean;
}

export interface Watcher {
  /** What it throws is how the call fails; the database is not asked then. */
  before?(call: Call): void;
  /** For calls that did not fail. */
  after?(call: Call, effect: Effect): void;
}

/** Shows the driver's calls to the watcher, from now on; gives what ends that. */
export type Watch = (watcher: Watcher) => () => void;

/** The tests' own connections, which are not the app's. */
export const outsiders: WeakSet<object> = new WeakSet();
