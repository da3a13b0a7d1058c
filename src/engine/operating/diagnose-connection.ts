/** What works through the database's connections. */
import { messageOf } from "../../core/errors.ts";
import { uuidv4 } from "../../core/uuid.ts";
import type { LiveConnection, Store } from "../../store/store.ts";
import { systemClock } from "../clock.ts";
import { settlesWithin } from "../patience.ts";
import { randomBytes } from "../random.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** Milliseconds by which the clocks of this host and of the database may differ. */
const MOST_SKEW = 1_000;

/** Milliseconds until a message to itself has to have arrived. */
const ARRIVES_WITHIN = 2_000;

const POOLER =
  "A pooler that deals out connections per transaction seems to be between. Connect to the server itself, or set the " +
  "pooler to sessions. Without it workers poll, and dead ones are noticed when their leases end.";

const NOT_HEARD = warning("messages", "LISTEN and NOTIFY do not work through these connections.", POOLER);
const NOT_SEEN = warning("locks", "A lock of one connection is not seen by another.", POOLER);
const SHARED: readonly Finding[] = [NOT_HEARD, NOT_SEEN];

export async function checkConnection(store: Store): Promise<Finding[]> {
  // A file has this host's clock, and no server that could tell of anything.
  if (!store.isRemote) return [];
  const findings = [await clockOf(store)];
  let live: LiveConnection | undefined;
  try {
    live = await store.live();
    // What is not to last must not be left behind either, with whoever is given the backend next.
    if (await live?.isShared()) findings.push(...SHARED);
    else if (live) findings.push(...(await messagesOf(store, live)), await locksOf(store, live));
  } catch (error) {
    findings.push(warning("locks", `A connection of its own cannot be had: ${messageOf(error)}`, POOLER));
  } finally {
    await live?.close();
  }
  return findings;
}

async function clockOf(store: Store): Promise<Finding> {
  const begun = systemClock.now();
  const time = await store.time();
  // The answer was given somewhere between the two.
  const skew = Math.round(time - (begun + systemClock.now()) / 2);
  const check = "clock";
  if (Math.abs(skew) <= MOST_SKEW)
    return ok(check, `The clocks of this host and of the database differ by ${skew} ms.`);
  const message = `The database's clock is ${Math.abs(skew)} ms ${skew > 0 ? "ahead of" : "behind"} this host's.`;
  const advice =
    "Workers go by the database's clock, so timers are right by that one. Let both hosts keep their clocks by NTP.";
  return warning(check, message, advice);
}

async function messagesOf(store: Store, live: LiveConnection): Promise<Finding[]> {
  if (!live.listen) return [];
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  const probe = `doctor ${uuidv4(randomBytes(16))}`;
  await live.listen(store.channel, (payload) => {
    if (payload === probe) resolve();
  });
  await store.notify(probe);
  const isHeard = await settlesWithin(ARRIVES_WITHIN, arrived);
  return [isHeard ? ok("messages", "A message from one connection reaches another (LISTEN and NOTIFY).") : NOT_HEARD];
}

async function locksOf(store: Store, live: LiveConnection): Promise<Finding> {
  const name = `romancy:doctor.${uuidv4(randomBytes(16)).slice(0, 18)}`;
  const isHeld = (await live.lock(name)) && (await store.operations.isLockHeld(name)) === true;
  return isHeld
    ? ok("locks", "A connection keeps its lock, and others see it: dead workers are noticed at once.")
    : NOT_SEEN;
}
