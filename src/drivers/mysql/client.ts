/** What is used of `mysql2`: only its form, so that nobody needs the package, or its types, who does not use it. */
import type { Bindable } from "../../store/sql.ts";

/** A pool of `mysql2/promise`. */
export interface MysqlPromisePool {
  getConnection(): Promise<MysqlClient>;
  end(): Promise<void>;
  readonly pool: {
    readonly config: {
      readonly connectionLimit?: number;
      readonly connectionConfig: { readonly multipleStatements?: boolean; readonly clientFlags?: number };
    };
  };
}

export interface MysqlClient {
  query(options: MysqlQuery): Promise<[MysqlResult, unknown]>;
  release(): void;
  destroy(): void;
  /** The connection with callbacks that is behind. */
  readonly connection: { on(event: "error" | "end", listener: () => void): unknown };
}

interface MysqlQuery {
  readonly sql: string;
  readonly values?: readonly Bindable[];
  readonly rowsAsArray?: boolean;
  readonly typeCast?: (field: MysqlField, next: () => unknown) => unknown;
}

interface MysqlField {
  readonly type: string;
  string(): string | null;
}

/** Rows, or what a statement without rows did; a list of these for several statements. */
export type MysqlResult = readonly Record<string, unknown>[] | MysqlOutcome;

export interface MysqlOutcome {
  /** With FOUND_ROWS, which `mysql2` sets unless told otherwise: rows found, whether they had to be changed or not. */
  readonly affectedRows: number;
}
