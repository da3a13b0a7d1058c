/** What one kind of server needs to be started. */

/** MariaDB is not MySQL: its SQL and its errors differ. */
export type ServerKind = "postgres" | "mariadb" | "mysql";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Whether it must be run as root, because it takes another user by itself. */
  readonly asRoot?: boolean;
}

/** A server's own folder. */
export interface Home {
  /** Where it is. */
  readonly folder: string;
  /** The same as the server sees it, which may have another root. */
  readonly seen: string;
}

export interface Recipe {
  /** Names its folder. */
  readonly kind: ServerKind | "pgbouncer";
  /** The program and its version, for reports. */
  readonly version: string;
  /** The folder that the server takes for `/`, when it is run by `chroot`. */
  readonly otherRoot?: string;
  /** At which signal the server ends at once, leaving nothing behind outside its folder. */
  readonly endSignal: NodeJS.Signals;
  /** Makes the data folder; run one after the other. */
  prepare(home: Home): readonly Command[];
  run(home: Home, port: number): Command;
  /** An administrator's URL. */
  url(port: number): string;
  /** Resolves when the server answers at the URL. */
  ping(url: string): Promise<void>;
}
