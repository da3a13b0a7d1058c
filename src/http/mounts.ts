/** What users serve beside Romancy's own routes. */
import { ValidationError } from "../core/errors.ts";

/** Answers the requests for one path. */
export type MountHandler = (request: Request) => Response | Promise<Response>;

/** Segments of characters that mean the same however a path is encoded. */
const PATH = /^(\/[\w.~-]+)+$/;

export class Mounts {
  /** By path, the longest first: `/a/mcp` is looked for before `/mcp`. */
  #handlers: readonly (readonly [path: string, handler: MountHandler])[] = [];

  /** @throws ValidationError when it is no path, or has a handler already */
  add(path: string, handler: MountHandler): void {
    if (typeof path !== "string" || !PATH.test(path)) {
      throw new ValidationError(
        `Nothing can be mounted at ${JSON.stringify(path)}. Give a path such as "/mcp": a slash, and letters, digits, ` +
          '"-", ".", "_" or "~"; no slash at its end.',
      );
    }
    if (this.#handlers.some(([known]) => known === path)) {
      throw new ValidationError(`Something is mounted at ${path} already. Give each handler a path of its own.`);
    }
    this.#handlers = [...this.#handlers, [path, handler] as const].toSorted(([a], [b]) => b.length - a.length);
  }

  /** Looked for at the end of the path, as Romancy's own routes are. */
  find(pathname: string): MountHandler | undefined {
    const trimmed = pathname.replace(/\/+$/, "");
    return this.#handlers.find(([path]) => trimmed.endsWith(path))?.[1];
  }
}
