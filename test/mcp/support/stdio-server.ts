/** Serves the process that has started this one. */
import { startServer } from "./orders.ts";

const { app, mcp } = await startServer();
const connection = await mcp.serveStdio();
await connection.closed;
await app.shutdown();
