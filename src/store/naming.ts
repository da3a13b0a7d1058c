/** Where romancy's tables are, and what they are called. */
export interface Naming {
  /** What all table names begin with. */
  readonly prefix: string;
  /** A schema of PostgreSQL; `undefined` for the one that the connection finds first. */
  readonly schema: string | undefined;
}

export const DEFAULT_NAMING: Naming = { prefix: "romancy_", schema: undefined };

/** In SQL texts, all that begins so is a table or an index of romancy; no column does. */
const OURS = /\bromancy_(?=\w)/g;

/** The text with the tables' names as they are; for statements, which may run with any search path. */
export function qualify(text: string, { prefix, schema }: Naming): string {
  return text.replace(OURS, schema === undefined ? prefix : `"${schema}".${prefix}`);
}

/** The text with the prefix only; for migrations, in which indexes are named too. */
export function rename(text: string, { prefix }: Naming): string {
  return text.replace(OURS, prefix);
}
