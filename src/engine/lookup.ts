import { setImmediate } from "./machine-time.ts";

/** What will be asked for together. */
interface Query {
  readonly keys: Set<string>;
  readonly found: Promise<ReadonlySet<string>>;
}

/** Asks the same thing of many at once: what is asked for in one macrotask goes into one query. */
export class Lookup {
  readonly #find: (keys: readonly string[]) => Promise<readonly string[]>;
  #next: Query | undefined;
  /** Queries that are not answered yet. */
  #open = 0;

  /** @param find those of the keys for which the answer is yes */
  constructor(find: (keys: readonly string[]) => Promise<readonly string[]>) {
    this.#find = find;
  }

  get isBusy(): boolean {
    return this.#open > 0;
  }

  async ask(key: string): Promise<boolean> {
    this.#next ??= this.#gather();
    const { keys, found } = this.#next;
    keys.add(key);
    return (await found).has(key);
  }

  #gather(): Query {
    const keys = new Set<string>();
    const answer = async (): Promise<ReadonlySet<string>> => {
      this.#next = undefined;
      return new Set(await this.#find([...keys]));
    };
    this.#open++;
    const found = new Promise((resolve) => setImmediate(resolve)).then(answer).finally(() => this.#open--);
    return { keys, found };
  }
}
