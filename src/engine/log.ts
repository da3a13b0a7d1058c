import type { Logger } from "../workflow/logger.ts";

/** Warnings and errors go to the console unless the app brings its own logger; so do users' own lines. */
export const consoleLogger: Logger = {
  debug: (message, data) => console.debug(message, ...(data ? [data] : [])),
  info: (message, data) => console.info(message, ...(data ? [data] : [])),
  warn: (message, data) => console.warn(message, ...(data ? [data] : [])),
  error: (message, data) => console.error(message, ...(data ? [data] : [])),
};

/**
 * A logger that adds the same data to every line, is silent when told so, and never throws: a broken logger must not
 * break what it reports on.
 */
export function bindLogger(
  logger: Logger,
  data: Readonly<Record<string, unknown>>,
  isSilent: () => boolean = () => false,
): Logger {
  const write =
    (level: keyof Logger) =>
    (message: string, more?: Readonly<Record<string, unknown>>): void => {
      if (isSilent()) return;
      try {
        logger[level](message, { ...data, ...more });
      } catch {
        // There is nowhere left to tell it.
      }
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
