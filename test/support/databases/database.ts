/** A database of one test's own, seen from outside the app, as another program of the user's sees it. */
export interface TestDatabase {
  /** What the option `database` is to be. */
  readonly url: string;
  /** Runs a statement, or a script of several without parameters, on a connection of its own. */
  exec(sql: string, params?: readonly Param[]): Promise<void>;
  /** The same for a statement that gives rows; placeholders are `?` everywhere. */
  rows(sql: string, params?: readonly Param[]): Promise<Row[]>;
  /** What is open on it, but for what `exec` and `rows` open: files or connections. Empty soon after all is closed. */
  open(): Promise<string[]>;
  /** Begins a transaction beside which nobody can write; the app's schema must be there. */
  hold(): Promise<Hold>;
  drop(): Promise<void>;
}

/** A transaction of somebody else's. */
export interface Hold {
  /** Resolves when the app has had to wait for it. */
  waitedFor(): Promise<void>;
  release(): Promise<void>;
}

export type Param = string | number | null;

export type Row = Record<string, unknown>;

/** Makes databases on one server. */
export interface Databases {
  create(): Promise<TestDatabase>;
  /** Closes its own connection; the databases must have been dropped. */
  close(): Promise<void>;
}

/** A name that no other test's database has. */
export function newName(): string {
  return `t_${crypto.randomUUID().replaceAll("-", "")}`;
}

/** The administrator's URL, but for the named database. */
export function urlOf(admin: string, name: string): string {
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return url.href;
}
