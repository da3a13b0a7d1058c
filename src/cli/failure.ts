/** How a command ends that could not do what it was told. */
import { CommanderError } from "commander";
import { RomancyError } from "../index.ts";

/** What the process ends with; scripts rely on these numbers. */
export const EXIT = {
  ok: 0,
  /** It was tried, and failed; or what was checked is not as it should be. */
  failed: 1,
  /** The command line, or a value in it, is wrong. */
  usage: 2,
  /** There is no such instance. */
  notFound: 3,
  /** The instance, or the database, is in no state for it. */
  refused: 4,
  /** The schema is missing, older or newer. */
  schema: 5,
  /** The database cannot be reached or used. */
  database: 6,
  /** It was waited for, and took longer than that. */
  timeout: 7,
} as const;

/** By the code of the error; what is not here has failed. */
const EXIT_OF: Readonly<Record<string, number>> = {
  USAGE: EXIT.usage,
  VALIDATION: EXIT.usage,
  SERIALIZATION: EXIT.usage,
  INSTANCE_NOT_FOUND: EXIT.notFound,
  INSTANCE_CONFLICT: EXIT.refused,
  INSTANCE_FINISHED: EXIT.refused,
  INSTANCE_NOT_CANCELLABLE: EXIT.refused,
  INSTANCE_NOT_RETRYABLE: EXIT.refused,
  NOTHING_TO_COMPENSATE: EXIT.refused,
  MIGRATION_REFUSED: EXIT.refused,
  SCHEMA_VERSION: EXIT.schema,
  UNSUPPORTED_DATABASE: EXIT.database,
  STORE: EXIT.database,
  RESULT_TIMEOUT: EXIT.timeout,
};

/** The command line is wrong in a way that only the command knows. */
export class UsageError extends Error {
  readonly code = "USAGE";
}

/** What is said of an error, and how the process ends. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
}

/** `undefined` for what was asked for, such as help. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof CommanderError) return usageOf(error);
  const code = error instanceof UsageError || error instanceof RomancyError ? error.code : "FAILED";
  const message = error instanceof Error ? error.message : String(error);
  return { code, message: inOneLine(message), exitCode: EXIT_OF[code] ?? EXIT.failed };
}

function usageOf({ exitCode, code, message }: CommanderError): Failure | undefined {
  if (exitCode === 0) return undefined;
  // Without a command its help was shown, which says it all.
  if (code === "commander.help") return { code: "USAGE", message: "no command was given", exitCode: EXIT.usage };
  return { code: "USAGE", message: inOneLine(message.replace(/^error: /, "")), exitCode: EXIT.usage };
}

function inOneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}
