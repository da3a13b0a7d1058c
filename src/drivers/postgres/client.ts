/** What is used of `pg`: only its form, so that nobody needs the package, or its types, who does not use it. */
import type { Bindable } from "../../store/sql.ts";

/** A `Pool` of `pg`. */
export interface PostgresPromisePool {
  connect(callback: (error: Error | undefined, client: PostgresClient | undefined) => void): void;
  end(): Promise<void>;
  readonly options?: { readonly max?: number };
  on(event: "error", listener: (error: Error) => void): unknown;
}

export interface PostgresClient {
  /** Who serves the connection, as whoever accepted it says. */
  readonly processID?: number | null;
  query(config: PostgresQuery | string): Promise<PostgresResult>;
  query(text: string, values: readonly Bindable[]): Promise<PostgresResult>;
  /** With `true` or an error the connection is closed. */
  release(destroy?: boolean): void;
  on(event: "error" | "end", listener: () => void): unknown;
  on(event: "notification", listener: (message: { channel: string; payload?: string }) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
}

export interface PostgresQuery {
  readonly text: string;
  readonly values?: readonly Bindable[];
  /** Prepared once for each connection under this name. */
  readonly name?: string;
  readonly types?: { getTypeParser(oid: number): (value: string) => unknown };
  /** Milliseconds. */
  readonly query_timeout?: number;
}

export interface PostgresResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: Record<string, unknown>[];
}
