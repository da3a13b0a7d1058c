/** One life of the app under test: from its start to its shutdown, or to its death. */
import { Romancy, type RomancyOptions } from "../index.ts";
import type { Seams } from "./virtual-clock.ts";

/** What the kit does at the seams of each life. */
export type LifeSeams = Omit<Seams, "identity">;

/** No process has it: others take one that is gone for dead at once. */
const NOBODY = 2 ** 31 - 1;

export class Life {
  readonly app: Romancy;
  readonly #death = Promise.withResolvers<undefined>();
  #isDead = false;

  /** @param number of this life, counted from 1 */
  constructor(options: RomancyOptions, number: number, seamsOf: (life: Life) => LifeSeams) {
    const identity = { host: "romancy/testing", pid: NOBODY, born: String(number) };
    // The first process on the host finds out by this that the ones before it are gone.
    this.app = new Romancy({ ...options, "~seams": { ...seamsOf(this), identity } });
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
    this.app["~testing"].running.kill();
    this.#death.resolve(undefined);
  }
}
