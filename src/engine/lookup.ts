/** What will be asked for together. */
interface Query {
  readonly keys: Set<string>;
  readonly found: Promise<ReadonlySet<string>>;
}

/** Asks the same thing of many at once: what is asked for in one macrotask goes into one query. */
export class Lookup {
  readonly #find: (keys: readonly string[]) => Promise<readonly string[]>;
  #next: Query | undefined;

  /** @param find those of the keys for which the answer is yes */
  constructor(find: (keys: readonly string[]) => Promise<readonly string[]>) {
    this.#find = find;
  }

  async ask(key: string): Promise<boolean> {
    this.#next ??= this.#gather();
    const { keys, found } = this.#next;
    keys.add(key);
    return (await found).has(key);
  }

  #gather(): Query {
    const keys = new Set<string>();
    const found = new Promise((resolve) => setImmediate(resolve)).then(async () => {
      this.#next = undefined;
      return new Set(await this.#find([...keys]));
    });
    return { keys, found };
  }
}
