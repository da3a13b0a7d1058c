/** The result of an instance, for which time passes. */
import type { Startable, Workflow } from "../index.ts";
import type { Life } from "./life.ts";
import type { Lives } from "./lives.ts";
import type { Passage } from "./passage.ts";

/** Gives the result again, or throws it. */
export type Settled = () => Promise<unknown>;

/** An answer that one life was asked for. */
interface Pending {
  readonly life: Life;
  settled: Settled | undefined;
}

/**
 * Lets time pass until the instance has ended.
 *
 * @param limit epoch milliseconds
 * @returns `undefined` when it has not ended by then, or nothing is left that would bring it about
 */
export function untilSettled(
  { lives, passage }: { readonly lives: Lives; readonly passage: Passage },
  workflow: Startable,
  id: string,
  limit: number,
): Promise<Settled | undefined> {
  let pending: Pending | undefined;
  return passage.until(async () => {
    const life = await lives.alive();
    if (pending?.life !== life) pending = ask(life, workflow, id);
    return pending.settled;
  }, limit);
}

function ask(life: Life, workflow: Startable, id: string): Pending {
  const pending: Pending = { life, settled: undefined };
  const handle = life.app.handle(workflow as Workflow<readonly unknown[], unknown>, id);
  const result = handle.result();
  const note = (): void => {
    pending.settled = () => result;
  };
  result.then(note, note);
  return pending;
}
