/** Answers requests. */
import { messageOf } from "../core/errors.ts";
import { carriedBy } from "../core/trace-context.ts";
import { cancelInstance } from "./cancel.ts";
import { giveMetrics } from "./metrics.ts";
import { Mounts } from "./mounts.ts";
import type { Context, Fetch } from "./port.ts";
import { Problem, reply, replyToError, statusOf } from "./replies.ts";
import { takeEvents } from "./take-events.ts";
import { publishMessage, sendMessage } from "./take-message.ts";
import { within } from "./within.ts";

interface Route {
  /** Looked for at the end of the path, so that a mount's prefix does not matter. */
  readonly path: RegExp;
  readonly methods: readonly string[];
  answer(request: Request, context: Context): Response | Promise<Response>;
}

const READ = ["GET", "HEAD"];

/** Those that have a name. The first whose path fits is taken. */
const NAMED: readonly Route[] = [
  { path: /\/health\/live\/*$/, methods: READ, answer: () => reply(200, { status: "live" }) },
  { path: /\/health\/ready\/*$/, methods: READ, answer: (_, context) => ready(context) },
  { path: /\/metrics\/*$/, methods: READ, answer: giveMetrics },
  { path: /\/publish\/[^/]+\/*$/, methods: ["POST"], answer: publishMessage },
  { path: /\/send\/[^/]+\/[^/]+\/*$/, methods: ["POST"], answer: sendMessage },
  { path: /\/cancel(\/[^/]*)?\/*$/, methods: ["POST"], answer: cancelInstance },
];

/** What is left when nothing else has the path. */
const EVENTS: Route = { path: /^/, methods: ["POST"], answer: takeEvents };

/** Whether a path is that of a route which has a name. */
export function isNamedRoute(path: string): boolean {
  return NAMED.some((route) => route.path.test(path));
}

export function createHandler(context: Context, mounts: Mounts = new Mounts()): Fetch {
  return async (request) => {
    try {
      const trace = carriedBy((name) => request.headers.get(name));
      return await context.app.within(trace, () => route(request, context, mounts));
    } catch (error) {
      if (statusOf(error) >= 500) context.log.error("A request failed.", { error: messageOf(error), cause: error });
      return replyToError(error);
    }
  };
}

async function route(request: Request, context: Context, mounts: Mounts): Promise<Response> {
  const { pathname } = new URL(request.url);
  // A channel or an instance may be called as something is that is mounted.
  const mounted = isNamedRoute(pathname) ? undefined : mounts.find(pathname);
  if (mounted) return mounted(request);
  const found = NAMED.find(({ path }) => path.test(pathname)) ?? EVENTS;
  if (found.methods.includes(request.method)) {
    const response = await found.answer(request, context);
    return request.method === "HEAD" ? new Response(null, response) : response;
  }
  const allow = found.methods.join(", ");
  throw new Problem(405, "MethodNotAllowed", `Use ${allow} here.`, { allow });
}

/** Milliseconds; whoever asks for health does not wait long. */
const READY_WITHIN = 5_000;

async function ready({ app, timeout }: Context): Promise<Response> {
  const answers = within(Math.min(timeout, READY_WITHIN), () => app.ping());
  const isReady = await answers.then(
    () => true,
    () => false,
  );
  return isReady ? reply(200, { status: "ready" }) : reply(503, { status: "not ready" });
}
