/** Before the tests of one database: finds the server that the environment names, or starts one for this run. */
import type { TestProject } from "vitest/node";
import type { ProvidedDatabase } from "../provided.ts";
import { isCi } from "./is-ci.ts";
import { type ServerKind, startServer } from "./server.ts";

/** URLs of administrators, of servers on which the tests may make databases. */
const VARIABLES: Readonly<Record<ServerKind, string>> = {
  postgres: "ROMANCY_TEST_POSTGRES_URL",
  mariadb: "ROMANCY_TEST_MARIADB_URL",
  mysql: "ROMANCY_TEST_MYSQL_URL",
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { provided, stop } = await provide(project.name as ProvidedDatabase["kind"]);
  project.provide("database", provided);
  return stop;
}

interface Provision {
  readonly provided: ProvidedDatabase;
  readonly stop: () => Promise<void>;
}

async function provide(kind: ProvidedDatabase["kind"]): Promise<Provision> {
  const nothing = async (): Promise<void> => {};
  if (kind === "sqlite") return { provided: { kind }, stop: nothing };
  const url = process.env[VARIABLES[kind]];
  if (url) return { provided: { kind, url }, stop: nothing };
  const server = await startServer(kind);
  if (typeof server !== "string") return { provided: { kind, url: server.url }, stop: () => server.stop() };
  const missing = `${server}, or set ${VARIABLES[kind]}`;
  if (isCi()) throw new Error(`The tests of ${kind} cannot run: ${missing}`);
  process.stderr.write(`SKIPPED: ${kind}: ${missing}\n`);
  return { provided: { kind, missing }, stop: nothing };
}
