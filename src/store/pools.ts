/** Pools that users bring: only their form, so that nobody needs a package, or its types, who does not use it. */

/** A `Pool` of `pg`. */
export interface PostgresPool {
  connect(...args: never[]): unknown;
  end(...args: never[]): unknown;
  readonly totalCount: number;
}

/** A pool of `mysql2/promise`, or of `mysql2`. */
export interface MysqlPool {
  getConnection(...args: never[]): unknown;
  end(...args: never[]): unknown;
}
