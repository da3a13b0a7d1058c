/** Looks at a database as an operator would, and says what to do. */
import { messageOf } from "../../core/errors.ts";
import type { Store } from "../../store/store.ts";
import { checkConnection } from "./diagnose-connection.ts";
import { checkFile } from "./diagnose-file.ts";
import { checkWork } from "./diagnose-work.ts";
import { type Finding, ok, problem } from "./finding.ts";

/** What is needed of the database's migrations. */
interface Migration {
  readonly version: string;
  readonly name: string | undefined;
  readonly status: "applied" | "pending" | "unknown";
}

export interface DiagnosisHost<Database> {
  /** The file of a SQLite database. */
  readonly file: string | undefined;
  readonly open: () => Promise<Database>;
  readonly migrations: (database: Database) => Promise<readonly Migration[]>;
  readonly storeOf: (database: Database) => Store;
}

/** What cannot be looked at because of what is found first is left out. */
export async function diagnose<Database>(host: DiagnosisHost<Database>): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  let store: Store | undefined;
  try {
    const database = await host.open();
    store = host.storeOf(database);
    const { operations } = store;
    findings.push(ok("database", `The database answers: ${NAMES[operations.database]} ${await operations.version()}.`));
    if (host.file !== undefined) findings.push(...(await checkFile(host.file, operations)));
    findings.push(...(await checkConnection(store)));
    const schema = schemaFinding(await host.migrations(database));
    findings.push(schema);
    // Without its tables, or with others, there is nothing to be seen of the work.
    if (schema.status === "ok") findings.push(...(await checkWork(operations, await store.time())));
  } catch (error) {
    const advice = store ? "See that the server stays up, and try again." : "Nothing works before it can be opened.";
    findings.push(problem("database", messageOf(error), advice));
  } finally {
    await store?.close();
  }
  return findings;
}

const NAMES = { sqlite: "SQLite", postgres: "PostgreSQL", mysql: "MySQL or MariaDB" } as const;

function schemaFinding(migrations: readonly Migration[]): Finding {
  const of = (status: Migration["status"]): string[] =>
    migrations.flatMap((migration) => (migration.status === status ? [migration.version] : []));
  const [unknown, pending, applied] = [of("unknown"), of("pending"), of("applied")];
  if (unknown.length > 0) {
    const message = `The database has migrations that this version of romancy does not know: ${unknown.join(", ")}.`;
    return problem("schema", message, "A newer version made them. Use that version here, or a newer one.");
  }
  if (applied.length === 0) {
    return problem(
      "schema",
      "The database has no tables of romancy's.",
      "Run `romancy migrate`. Check the URL, the schema and the table prefix, if they should be there.",
    );
  }
  if (pending.length > 0) {
    return problem("schema", `The database lacks migrations: ${pending.join(", ")}.`, "Run `romancy migrate`.");
  }
  return ok("schema", `The schema is up to date: ${applied.at(-1)}.`);
}
