/** The official SDK, which only those need who take events by HTTP. */
import { MissingPackageError, ValidationError } from "../core/errors.ts";

/** What is used of it. Its types are not named: users compile without it. */
export interface Sdk {
  /** Checks the attributes against the specification's schema. */
  readonly CloudEvent: new (
    attributes: Readonly<Record<string, unknown>>,
    strict: boolean,
  ) => object;
  readonly HTTP: {
    binary(event: never): { readonly headers: unknown };
    structured(event: never): { readonly headers: unknown };
  };
}

/** @throws MissingPackageError */
export async function loadSdk(): Promise<Sdk> {
  try {
    return await import("cloudevents");
  } catch (cause) {
    throw new MissingPackageError("CloudEvents over HTTP need", "cloudevents", { cause });
  }
}

/** @throws ValidationError when the SDK does not take them for the attributes of a CloudEvent */
export function judge(attributes: Readonly<Record<string, unknown>>, { CloudEvent }: Sdk): void {
  try {
    // It throws at what is none.
    void new CloudEvent(attributes, true);
  } catch (error) {
    throw new ValidationError(`This is no CloudEvent: ${reasonOf(error)}.`);
  }
}

/** The SDK tells what its schema found, as JSON in the message and as objects beside it. */
function reasonOf(error: unknown): string {
  const { message, errors } = error as { message: string; errors?: { instancePath?: string; message?: string }[] };
  const findings = (errors ?? []).map((found) => `${found.instancePath?.slice(1) ?? ""} ${found.message ?? ""}`.trim());
  return findings.length > 0 ? findings.join("; ") : message;
}
