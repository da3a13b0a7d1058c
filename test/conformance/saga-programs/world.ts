/** What programs do and undo, and what befalls the process meanwhile. */
import {
  type Activity,
  type ActivityContext,
  type CompensationContext,
  defineActivity,
  defineCompensation,
  defineWorkflow,
  TerminalError,
  type Workflow,
  type WorkflowContext,
} from "../../../src/index.ts";
import { placeholders } from "../../support/database.ts";
import type { Program, Step } from "./program.ts";

const INSERT = placeholders("insert into ledger (instance_id, operation, entry) values (?, ?, ?)");

/** Called whenever something is about to be done or undone, or has been. */
export type OnMoment = (instance: string) => void;

export class World {
  /** How often what is not transactional was done and undone, by instance and operation. */
  readonly plain = new Map<string, number>();
  /** The blocks that an instance's code has entered, the last time that it was run. */
  readonly entered = new Map<string, Set<string>>();
  readonly workflow: Workflow<[program: Program], string[]>;
  readonly #onMoment: OnMoment;
  readonly #acts: Record<string, Activity<[fails: boolean], void>> = {};
  readonly #byHand = defineCompensation("by_hand", (ctx, id: string) => this.#write(ctx, id, "undo"));
  readonly #tidy: Activity<[], void>;

  constructor(onMoment: OnMoment) {
    this.#onMoment = onMoment;
    for (const isTransactional of [true, false]) {
      for (const canBeUndone of [true, false]) {
        this.#acts[nameOf(isTransactional, canBeUndone)] = this.#act(isTransactional, canBeUndone);
      }
    }
    this.#tidy = defineActivity("tidy", (ctx) => this.#write(ctx, ctx.activityId, "do"));
    this.workflow = defineWorkflow("program", async (ctx, program: Program) => {
      this.entered.set(ctx.instanceId, new Set());
      const seen: string[] = [];
      await this.#run(ctx, program, seen);
      return seen.toSorted();
    });
  }

  /** How often that was done or undone. */
  countOf(instance: string, operation: string, entry: "do" | "undo"): number {
    return this.plain.get(`${instance} ${operation} ${entry}`) ?? 0;
  }

  #act(isTransactional: boolean, canBeUndone: boolean): Activity<[fails: boolean], void> {
    const perform = async (ctx: ActivityContext, id: string, entry: "do" | "undo"): Promise<void> => {
      if (isTransactional) await this.#write(ctx, id, entry);
      else await this.#note(ctx, id, entry);
    };
    const undo = async (ctx: CompensationContext): Promise<void> => {
      await perform(ctx, ctx.activityId.slice(0, ctx.activityId.indexOf("/")), "undo");
    };
    const act = async (ctx: ActivityContext, fails: boolean): Promise<void> => {
      if (fails) throw new TerminalError(`${ctx.activityId} fails`);
      await perform(ctx, ctx.activityId, "do");
    };
    return defineActivity(nameOf(isTransactional, canBeUndone), act, canBeUndone ? { compensation: undo } : {});
  }

  async #write(ctx: ActivityContext, id: string, entry: "do" | "undo"): Promise<void> {
    await this.#moment(ctx);
    await ctx.session.query(INSERT, [ctx.instanceId, id, entry]);
    await this.#moment(ctx);
  }

  async #note(ctx: ActivityContext, id: string, entry: "do" | "undo"): Promise<void> {
    await this.#moment(ctx);
    const key = `${ctx.instanceId} ${id} ${entry}`;
    this.plain.set(key, (this.plain.get(key) ?? 0) + 1);
    await this.#moment(ctx);
  }

  async #moment(ctx: ActivityContext): Promise<void> {
    this.#onMoment(ctx.instanceId);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #run(ctx: WorkflowContext, program: Program, seen: string[]): Promise<void> {
    for (const step of program) await this.#step(ctx, step, seen);
  }

  async #step(ctx: WorkflowContext, step: Step, seen: string[]): Promise<void> {
    switch (step.do) {
      case "act": {
        const act = this.#acts[nameOf(step.isTransactional, step.canBeUndone)];
        const done = act?.with({ id: step.id })(ctx, step.fails !== "not");
        if (step.fails === "and is caught") await done?.catch((error: Error) => seen.push(`${step.id} ${error.name}`));
        else await done;
        seen.push(step.id);
        break;
      }
      case "sleep":
        await ctx.sleep(step.ms);
        break;
      case "add":
        ctx.addCompensation(this.#byHand, step.id);
        break;
      case "settle": {
        const ends = await Promise.allSettled(step.branches.map((branch) => this.#run(ctx, branch, seen)));
        for (const end of ends) if (end.status === "rejected") throw end.reason;
        break;
      }
      case "all":
        await Promise.all(step.branches.map((branch) => this.#run(ctx, branch, seen)));
        break;
      case "tidy":
        this.entered.get(ctx.instanceId)?.add(step.id);
        try {
          await this.#run(ctx, step.body, seen);
        } finally {
          await ctx.cleanup(() => this.#tidy.with({ id: step.id })(ctx));
        }
        break;
    }
  }
}

function nameOf(isTransactional: boolean, canBeUndone: boolean): string {
  return `${isTransactional ? "transactional" : "plain"}_${canBeUndone ? "undoable" : "final"}`;
}
