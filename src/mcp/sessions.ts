/** Sessions of clients that speak the protocol's revisions of 2025; the later ones have none. */
import type {
  AuthInfo,
  McpServerFactory,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import type { Duration } from "../index.ts";
import { refuse } from "./guard.ts";
import { afterClose, type Sdk } from "./sdk.ts";

export interface SessionOptions {
  /** At most so many at once; who comes then is asked to come later. Default 1,000. */
  readonly max?: number;
  /** A session that nobody used for so long ends. Default 30 minutes. */
  readonly idleTimeout?: Duration;
}

export interface SessionLimits {
  readonly max: number;
  /** Milliseconds. */
  readonly idleTimeout: number;
  /** Bytes. */
  readonly maxBodyBytes: number;
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  /** Whose it is; `undefined` when nobody has to say. */
  readonly owner: string | undefined;
  readonly idle: NodeJS.Timeout;
}

/** Milliseconds; a timer takes no more, some 25 days. */
const LONGEST = 2 ** 31 - 1;

export class Sessions {
  readonly #sdk: Sdk;
  readonly #factory: McpServerFactory;
  readonly #limits: SessionLimits;
  readonly #sessions = new Map<string, Session>();
  /** Those that are about to be added. */
  #opening = 0;

  constructor(sdk: Sdk, factory: McpServerFactory, limits: SessionLimits) {
    this.#sdk = sdk;
    this.#factory = factory;
    this.#limits = limits;
  }

  async fetch(request: Request, authInfo: AuthInfo | undefined): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    if (id === null) return this.#open(request, authInfo);
    const session = this.#sessions.get(id);
    const isTheirs = session?.owner === ownerOf(authInfo);
    if (!session || !isTheirs) return refuse(404, "There is no such session. Begin a new one.");
    session.idle.refresh();
    return session.transport.handleRequest(request, { ...(authInfo && { authInfo }) });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ transport }) => transport.close()));
  }

  async #open(request: Request, authInfo: AuthInfo | undefined): Promise<Response> {
    const { max } = this.#limits;
    if (this.#sessions.size + this.#opening >= max) {
      return refuse(503, "There are too many sessions. Come again later.");
    }
    this.#opening++;
    try {
      return await this.#begin(request, authInfo);
    } finally {
      this.#opening--;
    }
  }

  /** What does not begin a session is refused by the transport, which is then forgotten. */
  async #begin(request: Request, authInfo: AuthInfo | undefined): Promise<Response> {
    const transport = new this.#sdk.WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      maxRequestBodySize: this.#limits.maxBodyBytes,
      onsessioninitialized: (id) => this.#keep(id, transport, ownerOf(authInfo)),
    });
    const server = await this.#factory({ era: "legacy", requestInfo: request, ...(authInfo && { authInfo }) });
    await server.connect(transport);
    const response = await transport.handleRequest(request, { ...(authInfo && { authInfo }) });
    if (transport.sessionId === undefined) await transport.close();
    return response;
  }

  #keep(id: string, transport: WebStandardStreamableHTTPServerTransport, owner: string | undefined): void {
    // Not what keeps a process alive.
    const idle = setTimeout(() => void transport.close(), Math.min(this.#limits.idleTimeout, LONGEST)).unref();
    this.#sessions.set(id, { transport, owner, idle });
    afterClose(transport, () => {
      clearTimeout(idle);
      this.#sessions.delete(id);
    });
  }
}

/** Where the verifier does not say whose a token is, it is its own. */
function ownerOf(authInfo: AuthInfo | undefined): string | undefined {
  return authInfo && (authInfo.clientId || authInfo.token);
}
