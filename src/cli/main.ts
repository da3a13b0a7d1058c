#!/usr/bin/env node
/** The program `romancy`. */
import { failureOf } from "./failure.ts";
import { createProgram } from "./program.ts";

// Whoever reads the output has had enough, such as `head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

// That SQLite or types are experimental in Node.js is not for those who operate workflows.
process.removeAllListeners("warning");
process.on("warning", ({ name, message }) => {
  if (name !== "ExperimentalWarning") process.stderr.write(`romancy: ${name}: ${message}\n`);
});

try {
  await createProgram().parseAsync();
} catch (error) {
  const failure = failureOf(error);
  if (failure) {
    const { code, message, exitCode } = failure;
    const isJson = process.argv.includes("--json");
    process.stderr.write(isJson ? `${JSON.stringify({ error: { code, message } })}\n` : `romancy: ${message}\n`);
    process.exitCode = exitCode;
  }
}
