/** An instance goes on as another: all of it in one transaction, so that a chain never breaks and never forks. */
import type { Advance, InstancePatch } from "../../core/commit.ts";
import { transition } from "../../core/status.ts";
import type { Queries } from "../runner.ts";
import {
  archiveHistory,
  beginChain,
  continueChain,
  deleteHistory,
  forgetRead,
  insertSuccessor,
  moves,
} from "../statements/chains.ts";
import { competingOf } from "../statements/channels.ts";
import { finishInstance } from "../statements/instances.ts";
import { passOn } from "./mail.ts";

/** Milliseconds for which copies of a message that was read are kept out of a successor's inbox. */
const READ_KEPT = 24 * 3_600_000;

/** The most of these, counted in deliveries. */
const READS_KEPT = 1_000;

/** The instance's row is held by the caller. A message that it was called for goes to another; tells how many were called. */
export async function recur(
  queries: Queries,
  { instanceId: id, epoch }: Advance,
  { at, successor: { id: successor, input, version, workerId } }: Extract<InstancePatch, { event: "recur" }>,
): Promise<number> {
  const status = transition("running", "recur") as string;
  await queries.run(insertSuccessor, { id, successor, input, version, workerId, at });
  const ending = { status, output: null, error: null, compensationErrors: null, knowsOfCancel: 1 };
  await queries.run(finishInstance, { id, epoch, at, ...ending });
  await queries.run(beginChain, { id });
  await queries.run(continueChain, { id, successor });
  await queries.run(archiveHistory, { id });
  await queries.run(deleteHistory, { id });
  await queries.run(forgetRead, { id, before: at - READ_KEPT, kept: READS_KEPT });
  for (const move of moves) await queries.run(move, { id, successor });
  return passOn(queries, await queries.all(competingOf, { instanceId: successor }), at);
}
