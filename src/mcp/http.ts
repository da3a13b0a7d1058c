/** The transport "streamable HTTP", as a handler of the Web's standard. */
import type { McpServerFactory } from "@modelcontextprotocol/server";
import { type Logger, toMilliseconds } from "../index.ts";
import { messageOf } from "./answers.ts";
import { createGuard, type GuardOptions, refuse } from "./guard.ts";
import { checkOptions, type KnownKeys } from "./options.ts";
import type { Sdk } from "./sdk.ts";
import { type SessionLimits, type SessionOptions, Sessions } from "./sessions.ts";

/** How the server is served by HTTP. */
export interface McpHttpOptions extends GuardOptions {
  /** The largest body of a request, in bytes. Default 1 MB. */
  readonly maxBodyBytes?: number;
  /**
   * Whether clients that speak the protocol's revisions of 2025 get sessions, which are kept in this process. Default
   * `false`: each request stands for itself, and any process may answer it.
   */
  readonly sessions?: boolean | SessionOptions;
}

const KNOWN: KnownKeys<McpHttpOptions> = {
  allowedHosts: true,
  allowedOrigins: true,
  verifyToken: true,
  requiredScopes: true,
  resourceMetadataUrl: true,
  maxBodyBytes: true,
  sessions: true,
};

const KNOWN_OF_SESSIONS: KnownKeys<SessionOptions> = { max: true, idleTimeout: true };

export interface HttpDoor {
  /** Never rejects. */
  readonly fetch: (request: Request) => Promise<Response>;
  readonly close: () => Promise<void>;
}

const BODY_BYTES = 1_000_000;
const SESSIONS = 1_000;

export function createHttpDoor(sdk: Sdk, factory: McpServerFactory, options: McpHttpOptions, logger: Logger): HttpDoor {
  // What was meant to keep others out must not be passed over.
  checkOptions("the MCP server's http", options, KNOWN);
  const { maxBodyBytes = BODY_BYTES, sessions: wanted = false } = options;
  const guard = createGuard(sdk, options, logger);
  const sessions = wanted === false ? undefined : new Sessions(sdk, factory, limitsOf(wanted, maxBodyBytes));
  const handler = sdk.createMcpHandler(factory, {
    legacy: sessions ? "reject" : "stateless",
    maxRequestBodySize: maxBodyBytes,
    onerror: (error) => logger.debug("A request of MCP was not answered well.", { error: error.message }),
  });

  async function answer(request: Request): Promise<Response> {
    const admitted = await guard(request);
    if (admitted instanceof Response) return admitted;
    const { authInfo } = admitted;
    const isForSession =
      sessions && (await sdk.isLegacyRequest(request, undefined, { maxRequestBodySize: maxBodyBytes }));
    if (isForSession) return sessions.fetch(request, authInfo);
    return handler.fetch(request, { ...(authInfo && { authInfo }) });
  }

  return {
    fetch: (request) =>
      answer(request).catch((error: unknown) => {
        logger.error("A request of MCP failed.", { error: messageOf(error), cause: error });
        return refuse(500, "The request could not be handled.");
      }),
    async close() {
      await Promise.all([handler.close(), sessions?.close()]);
    },
  };
}

function limitsOf(wanted: true | SessionOptions, maxBodyBytes: number): SessionLimits {
  const options = wanted === true ? {} : wanted;
  checkOptions("sessions", options, KNOWN_OF_SESSIONS);
  const { max = SESSIONS, idleTimeout = "30 minutes" } = options;
  return { max, idleTimeout: toMilliseconds(idleTimeout, "The idleTimeout of sessions"), maxBodyBytes };
}
