// Not TypeScript: Hono's types need those of browsers, which this project has not.
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";

const MOUNTS = {
  mount: (hono, fetch) => hono.mount("/romancy", fetch),
  route: (hono, fetch) => hono.all("/romancy/*", (context) => fetch(context.req.raw)),
};

export function honoServer(fetch, by) {
  const hono = new Hono();
  MOUNTS[by](hono, fetch);
  return createAdaptorServer({ fetch: hono.fetch });
}
