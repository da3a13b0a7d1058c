/**
 * The app under test, one life after the other, on one database.
 *
 * 1. At most one life is alive. One that has died writes nothing more, and the next begins at once.
 * 2. What is asked of the app is asked again of the next life when the one that was asked dies before it has answered.
 *    So everything that is asked can be asked twice: it has an id of its own, or only looks.
 */
import type { Romancy, RomancyOptions } from "../index.ts";
import type { Database } from "./access.ts";
import type { Bodies } from "./bodies.ts";
import type { CrashPoints } from "./crash-points.ts";
import { Life, type LifeSeams } from "./life.ts";
import type { Stubs } from "./stubs.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What all lives share. */
export interface LivesParts {
  readonly clock: VirtualClock;
  readonly bodies: Bodies;
  readonly stubs: Stubs;
  readonly points: CrashPoints;
}

export class Lives {
  readonly #parts: LivesParts;
  #options: RomancyOptions;
  #life: Promise<Life>;
  /** Absent while one is starting. */
  #current: Life | undefined;
  #ending: Promise<void> | undefined;
  /** Calls of the app that are under way. */
  #asking = 0;
  #database: Promise<Database> | undefined;
  /** Whether the next one could not start. */
  #hasFailed = false;
  /** How many have died. */
  crashes = 0;
  /** Transactions that were written, or were to be when a life died. */
  commits = 0;

  /** Begins the first one. */
  constructor(options: RomancyOptions, parts: LivesParts) {
    this.#options = options;
    this.#parts = parts;
    this.#life = this.#begin();
  }

  /** The one of this moment, when it has started. */
  async alive(): Promise<Life> {
    const life = await this.#life;
    return life.isDead ? this.alive() : life;
  }

  /** The app of this moment; it may be starting. */
  get app(): Romancy | undefined {
    return this.#current?.app;
  }

  /** Whether it does anything by itself. */
  get isMoving(): boolean {
    if (!this.#current) return !this.#hasFailed;
    if (this.#asking > 0) return true;
    const { attempts, isMoving } = this.#current.app["~testing"].load;
    return isMoving || attempts > this.#parts.bodies.sleepingOf(attempts);
  }

  /** Has the one of this moment die, and waits for the next. */
  async crash(options: RomancyOptions): Promise<void> {
    const life = await this.alive();
    this.#options = options;
    this.#die(life);
    await this.alive();
  }

  /** Ends the one of this moment in good order, and waits for the next. */
  async restart(options: RomancyOptions): Promise<void> {
    const life = await this.alive();
    this.#current = undefined;
    await life.app.shutdown();
    this.#parts.clock.clear();
    this.#options = options;
    this.#life = this.#begin();
    await this.#life;
  }

  /** Ends the one of this moment, and the database. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    const life = await this.#life.catch(() => undefined);
    await life?.app.shutdown();
    await (await this.#database)?.close();
  }

  /** Asks the app (2). */
  async ask<T>(question: (app: Romancy) => Promise<T>): Promise<T> {
    this.#asking++;
    try {
      for (;;) {
        const answer = await askOnce(await this.alive(), question);
        if (answer) return answer.value;
      }
    } finally {
      this.#asking--;
    }
  }

  async #begin(): Promise<Life> {
    const database = (open: () => Promise<Database>): Promise<Database> => {
      this.#database ??= open();
      return this.#database;
    };
    const life = new Life(this.#options, database, (one) => this.#seamsOf(one));
    // It may die before it has quite begun.
    await Promise.race([life.begin(), life.death]);
    if (!life.isDead) this.#current = life;
    return life;
  }

  #die(life: Life): void {
    if (life.isDead) return;
    this.#current = undefined;
    this.crashes++;
    life.die();
    this.#parts.clock.clear();
    this.#life = this.#begin();
    this.#life.catch(() => {
      // Whoever asks next is told why.
      this.#hasFailed = true;
    });
  }

  #seamsOf(life: Life): LifeSeams {
    const { clock, bodies, stubs, points } = this.#parts;
    return {
      clock,
      workflow: (definition, ctx, args) => stubs.workflow(definition, ctx, args),
      activity: async (definition, ctx, args) => {
        if (points.isHit("before body", definition.name, ctx)) return this.#dieFor(life);
        const outcome = bodies.run(ctx, () => stubs.activity(definition, ctx, args));
        await outcome.catch(() => {});
        return points.isHit("after body", definition.name, ctx) ? this.#dieFor(life) : outcome;
      },
      commit: async (changes, write) => {
        this.commits++;
        if (points.isHitBy("before commit", changes)) this.#refuse(life);
        const result = await write();
        if (points.isHitBy("after commit", changes)) this.#refuse(life);
        return result;
      },
    };
  }

  /** Nobody waits for the outcome any more. */
  #dieFor(life: Life): Promise<never> {
    this.#die(life);
    return new Promise(() => {});
  }

  #refuse(life: Life): never {
    this.#die(life);
    throw new Error("The app has died at this commit.");
  }
}

/** `undefined` when it has died before it has answered. */
async function askOnce<T>(
  life: Life,
  question: (app: Romancy) => Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  try {
    return await Promise.race([question(life.app).then((value) => ({ value })), life.death]);
  } catch (error) {
    if (life.isDead) return undefined;
    throw error;
  }
}
