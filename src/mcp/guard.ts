/** Who may come in by HTTP. Whatever is not clearly allowed is refused. */
import type { AuthInfo } from "@modelcontextprotocol/server";
import { type Logger, ValidationError } from "../index.ts";
import { messageOf } from "./answers.ts";
import type { Sdk } from "./sdk.ts";

/** Whose token it is. */
export interface TokenOwner {
  /** Sessions belong to one client, and are no other's. */
  readonly clientId: string;
  readonly scopes?: readonly string[];
  /** When the token ends, in seconds since 1970. Default: whatever the verifier accepts is valid. */
  readonly expiresAt?: number;
}

export interface GuardOptions {
  /**
   * Host names in the `Host` header that are this server's, against DNS rebinding. Default: those of this machine, such as
   * `localhost`. `"any"` only behind a proxy that checks it, or with `verifyToken`.
   */
  readonly allowedHosts?: readonly string[] | "any";
  /** Host names of web pages that may call the server. Default: those of this machine. Who is no browser sends none. */
  readonly allowedOrigins?: readonly string[];
  /**
   * Whose the bearer token of a request is. Only `true` or an owner lets it in: when it gives anything else, throws, or
   * says nothing within 10 seconds, the request is answered with 401. Default: everybody may come in.
   */
  readonly verifyToken?: (
    token: string,
  ) => TokenOwner | boolean | undefined | Promise<TokenOwner | boolean | undefined>;
  /** Scopes that the token's owner must have. */
  readonly requiredScopes?: readonly string[];
  /** Where clients learn how to get a token (RFC 9728); told with each 401. */
  readonly resourceMetadataUrl?: string;
}

/** Lets a request in, with what is known of who sends it, or answers it. */
export type Guard = (request: Request) => Promise<Response | { readonly authInfo: AuthInfo | undefined }>;

/** @throws ValidationError */
export function createGuard(sdk: Sdk, options: GuardOptions, logger: Logger): Guard {
  const { verifyToken } = options;
  // What was meant to be a verifier must not let everybody in.
  if (verifyToken !== undefined && typeof verifyToken !== "function") {
    throw new ValidationError("`verifyToken` is no function. Leave it out to let everybody in.");
  }
  const hosts = options.allowedHosts ?? sdk.localhostAllowedHostnames();
  const origins = [...(options.allowedOrigins ?? sdk.localhostAllowedOrigins())];
  const gate = verifyToken && tokenGate(sdk, options, verifyToken, logger);
  return async (request) => {
    if (hosts !== "any") {
      // Some servers give the host in the address alone.
      const host = request.headers.get("host") ?? new URL(request.url).host;
      const checked = sdk.validateHostHeader(host, [...hosts]);
      if (!checked.ok) return refuse(403, checked.message);
    }
    const refused = sdk.originValidationResponse(request, origins);
    if (refused) return refused;
    if (!gate) return { authInfo: undefined };
    const owner = await gate(request);
    return owner instanceof Response ? owner : { authInfo: owner };
  };
}

/** An answer in the form of JSON-RPC, to no request in particular. */
export function refuse(status: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", error: { code: -32_000, message }, id: null }, { status });
}

/** Milliseconds. */
const VERIFIED_WITHIN = 10_000;

/** Seconds for which a request is let in by a token that nobody gave an end. */
const LET_IN_FOR = 60;

function tokenGate(
  sdk: Sdk,
  { requiredScopes, resourceMetadataUrl }: GuardOptions,
  verify: NonNullable<GuardOptions["verifyToken"]>,
  logger: Logger,
): (request: Request) => Promise<AuthInfo | Response> {
  const invalid = (): Error => new sdk.OAuthError(sdk.OAuthErrorCode.InvalidToken, "The token is not valid.");

  async function verifyAccessToken(token: string): Promise<AuthInfo> {
    const owner: unknown = await answerWithin(VERIFIED_WITHIN, async () => verify(token)).catch((error: unknown) => {
      logger.error("The verifier of tokens failed. The request was refused.", {
        error: messageOf(error),
        cause: error,
      });
      throw invalid();
    });
    if (owner !== true && !isOwner(owner)) throw invalid();
    const { clientId, scopes = [], expiresAt } = owner === true ? { clientId: "" } : owner;
    // The SDK takes no token without an end.
    const end = expiresAt ?? Math.floor(Date.now() / 1_000) + LET_IN_FOR;
    return { token, clientId, scopes: [...scopes], expiresAt: end };
  }

  return sdk.requireBearerAuth({
    verifier: { verifyAccessToken },
    ...(requiredScopes && { requiredScopes: [...requiredScopes] }),
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
  });
}

function isOwner(value: unknown): value is TokenOwner {
  return typeof value === "object" && value !== null && "clientId" in value && typeof value.clientId === "string";
}

async function answerWithin<T>(limit: number, ask: () => Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`There was no answer within ${limit} ms.`)), limit);
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
  }
}
