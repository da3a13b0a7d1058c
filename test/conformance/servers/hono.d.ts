import type { Server } from "node:http";

/** It is mounted below `/romancy`. */
export function honoServer(fetch: (request: Request) => Promise<Response>, by: "mount" | "route"): Server;
