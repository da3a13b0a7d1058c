/** One life of the app under test: from its start to its shutdown, or to its death. */
import { Romancy, type RomancyOptions } from "../index.ts";
import { Access, type Database } from "./access.ts";
import type { Seams } from "./virtual-clock.ts";

/** What the kit does at the seams of each life. */
export type LifeSeams = Omit<Seams, "identity" | "open">;

/** Opens the database that all lives share, at the first call. */
type Shared = (open: () => Promise<Database>) => Promise<Database>;

/** No process has it: others take one that is gone for dead at once. */
const NOBODY = 2 ** 31 - 1;

export class Life {
  readonly app: Romancy;
  readonly #death = Promise.withResolvers<undefined>();
  #access: Access | undefined;
  #isDead = false;

  /** @param database opens the one that all lives share, or gives it */
  constructor(options: RomancyOptions, database: Shared, seamsOf: (life: Life) => LifeSeams) {
    const open: Seams["open"] = async (first) => {
      this.#access = new Access(await database(first));
      return this.#access;
    };
    const identity = { host: "romancy/testing", pid: NOBODY, born: "" };
    this.app = new Romancy({ ...options, "~seams": { ...seamsOf(this), open, identity } });
  }

  async begin(): Promise<void> {
    await this.app.start();
    // What an earlier life has left half done need not wait until it is looked for.
    await this.app["~testing"].tidy();
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Resolves when it has died. */
  get death(): Promise<undefined> {
    return this.#death.promise;
  }

  /** Dies as by SIGKILL: from here on nothing is written, handed back or told. */
  die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.app["~testing"].kill();
    this.#access?.end();
    this.#death.resolve(undefined);
  }
}
