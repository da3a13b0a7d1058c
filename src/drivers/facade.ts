import { SessionError } from "../core/errors.ts";

/** Methods by which code that is done with a connection would end it or give it back. */
const ENDINGS: ReadonlySet<PropertyKey> = new Set([
  "release",
  "end",
  "destroy",
  "close",
  Symbol.dispose,
  Symbol.asyncDispose,
]);

/** Query builders look at the class of what they are given, also of a connection that is not there yet. */
class SessionClient {
  readonly [Symbol.toStringTag] = "SessionClient";
}

interface FacadeOptions {
  /** Methods that wait for a connection which is still coming. */
  readonly methods?: readonly string[];
  /** What is given at all times. */
  readonly parts?: Readonly<Record<string, unknown>>;
  /** Whether the session has ended: the connection may be somebody else's by now. */
  readonly isOver: () => boolean;
}

/**
 * A driver's connection as users' code sees it, maybe before it is there: the named methods wait for it, everything
 * else is its own once it is. What would end it, or give it back to its pool, does nothing: query builders do that when
 * they are done, while the transaction is still needed. After the session has ended its methods throw.
 */
export function facadeOf<Client extends object>(
  coming: Client | Promise<Client>,
  { methods = [], parts = {}, isOver }: FacadeOptions,
): unknown {
  let client: Client | undefined;
  if (coming instanceof Promise) {
    coming.then(
      (arrived) => {
        client = arrived;
      },
      () => {},
    );
  } else {
    client = coming;
  }
  const call = (target: object, method: string | symbol, args: unknown[]): unknown => {
    if (isOver()) throw new SessionError("The activity's session has ended: its `client` cannot be used.");
    return (Reflect.get(target, method, target) as (...args: unknown[]) => unknown).apply(target, args);
  };
  return new Proxy(new SessionClient(), {
    get(facade, property) {
      if (ENDINGS.has(property)) return pretend;
      if (Object.hasOwn(parts, property)) return parts[property as string];
      const present = client;
      if (present) {
        const value: unknown = Reflect.get(present, property, present);
        const isMethod = typeof value === "function" && property !== "constructor";
        return isMethod ? (...args: unknown[]) => call(present, property, args) : value;
      }
      if (!methods.includes(String(property))) return Reflect.get(facade, property);
      return (...args: unknown[]) => later(coming as Promise<Client>, (arrived) => call(arrived, property, args), args);
    },
    has: (_, property) => (client ? property in client : methods.includes(String(property))),
    getPrototypeOf: (facade) => Reflect.getPrototypeOf(client ?? facade),
  });
}

/** Ends nothing, and says that it did. */
function pretend(...args: unknown[]): Promise<void> {
  const callback = args.at(-1);
  if (typeof callback === "function") process.nextTick(callback);
  return Promise.resolve();
}

/** The call as it will be made: with a callback as its last argument, or without. */
function later<Client>(coming: Promise<Client>, call: (client: Client) => unknown, args: readonly unknown[]): unknown {
  const answer = args.at(-1);
  if (typeof answer !== "function") return coming.then(call);
  // What `mysql2` returns has a `then` that throws. Called back here is only what was never asked of the connection.
  coming.then((client) => void call(client)).catch(answer as (error: unknown) => void);
  return undefined;
}
