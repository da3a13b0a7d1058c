/** Methods by which code that is done with a connection would end it or give it back. */
const ENDINGS: ReadonlySet<PropertyKey> = new Set(["release", "end", "destroy", "close"]);

/**
 * A driver's connection before it is there: the named methods wait for it, everything else is its own
 * once it is, but for the parts, which are given at all times. What
 * would end it, or give it back to its pool, does nothing: query builders do that when they are done, while the
 * transaction is still needed.
 */
export function facadeOf<Client extends object>(
  coming: Promise<Client>,
  methods: readonly string[],
  parts: Readonly<Record<string, unknown>> = {},
): unknown {
  let client: Client | undefined;
  coming.then(
    (arrived) => {
      client = arrived;
    },
    () => {},
  );
  return new Proxy(Object.create(null), {
    get(_, property) {
      if (ENDINGS.has(property)) return () => {};
      if (typeof property === "string" && property in parts) return parts[property];
      if (client) {
        const value: unknown = Reflect.get(client, property, client);
        return typeof value === "function" && property !== "constructor" ? value.bind(client) : value;
      }
      if (typeof property === "string" && methods.includes(property)) return later(coming, property);
      return undefined;
    },
    has: (_, property) => (client ? property in client : methods.includes(String(property))),
  });
}

/** The method as it will be: with a callback as its last argument, or without. */
function later<Client extends object>(coming: Promise<Client>, method: string) {
  return (...args: unknown[]): unknown => {
    const callback = args.at(-1);
    const call = coming.then((client) => (client as Record<string, (...a: unknown[]) => unknown>)[method]?.(...args));
    if (typeof callback !== "function") return call;
    // Only when the connection never came: else the method itself has called back.
    coming.then(undefined, callback as (error: unknown) => void);
    call.catch(() => {});
    return undefined;
  };
}
