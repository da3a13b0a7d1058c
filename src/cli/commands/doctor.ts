import type { Command } from "commander";
import type { Finding } from "../../index.ts";
import { createClient } from "../client.ts";
import { type CommonOptions, databaseCommand } from "../command.ts";
import { EXIT } from "../failure.ts";
import { answer, paintFinding } from "../terminal.ts";

export function doctorCommand(): Command {
  return databaseCommand(
    "doctor",
    "Check the database, schema, clock, connections, workers, and what does not get on; say what to do.",
    ["doctor --url postgres://localhost/app", "doctor --json"],
  ).action(async (options: CommonOptions) => {
    const findings = await createClient(options).diagnose();
    const status = worstOf(findings);
    answer(options, { json: { status, findings }, text: findings.map(textOf).join("\n") });
    if (status === "problem") process.exitCode = EXIT.failed;
  });
}

function worstOf(findings: readonly Finding[]): Finding["status"] {
  const found = new Set(findings.map(({ status }) => status));
  return (["problem", "warning"] as const).find((status) => found.has(status)) ?? "ok";
}

const WIDTH = "problem".length;

function textOf({ check, status, message, advice }: Finding): string {
  const line = `${paintFinding(status)}${" ".repeat(WIDTH - status.length)}  ${check}: ${message}`;
  return advice === undefined ? line : `${line}\n${" ".repeat(WIDTH + 2)}${advice}`;
}
