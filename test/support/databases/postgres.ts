import { Client, type QueryResult } from "pg";
import { outsiders } from "../drivers/watch.ts";
import { type Databases, type Hold, newName, type Param, type Row, type TestDatabase, urlOf } from "./database.ts";

/** `bigint`, which `pg` gives as text. */
const BIGINT = 20;

/** Drops all that tests make: schemas and what is in them. */
const EMPTY = `do $$
  declare name text;
  begin
    for name in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
      execute format('drop schema %I cascade', name);
    end loop;
    create schema public;
  end
$$`;

export class PostgresDatabases implements Databases {
  readonly #url: string;
  #admin: Promise<Client> | undefined;
  /** Databases that tests have had and that are as new: to make and to drop one takes ten times as long. */
  readonly #emptied: PostgresTestDatabase[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  async create(): Promise<TestDatabase> {
    const emptied = this.#emptied.pop();
    if (emptied) return emptied;
    const name = newName();
    const admin = await this.#connected();
    await admin.query(`create database ${name}`);
    return new PostgresTestDatabase(admin, urlOf(this.#url, name), name, this.#emptied);
  }

  async close(): Promise<void> {
    for (const database of this.#emptied.splice(0)) await database.remove();
    await (await this.#admin)?.end();
    this.#admin = undefined;
  }

  #connected(): Promise<Client> {
    this.#admin ??= connect(this.#url);
    return this.#admin;
  }
}

class PostgresTestDatabase implements TestDatabase {
  readonly url: string;
  readonly #admin: Client;
  readonly #name: string;
  readonly #emptied: PostgresTestDatabase[];

  constructor(admin: Client, url: string, name: string, emptied: PostgresTestDatabase[]) {
    this.#admin = admin;
    this.url = url;
    this.#name = name;
    this.#emptied = emptied;
  }

  async exec(sql: string, params?: readonly Param[]): Promise<void> {
    await this.#use(async (client) => (params ? client.query(numbered(sql), [...params]) : client.query(sql)));
  }

  async rows(sql: string, params: readonly Param[] = []): Promise<Row[]> {
    return this.#use(async (client) => withNumbers(await client.query<Row>(numbered(sql), [...params])));
  }

  async open(): Promise<string[]> {
    const { rows } = await this.#admin.query<{ query: string }>(
      "select query from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
      [this.#name],
    );
    return rows.map(({ query }) => query);
  }

  async hold(): Promise<Hold> {
    const client = await connect(this.url);
    await client.query("begin");
    await client.query("lock table romancy_instances in exclusive mode");
    return {
      waitedFor: async () => {
        while (!(await this.#isWaitedFor())) await new Promise((resolve) => setTimeout(resolve, 2));
      },
      async release() {
        await client.query("commit");
        await client.end();
      },
    };
  }

  async drop(): Promise<void> {
    // Whoever is still connected, as a process that was just killed, must not meet the next test.
    if ((await this.open()).length > 0) return this.remove();
    await this.exec(EMPTY);
    this.#emptied.push(this);
  }

  async remove(): Promise<void> {
    await this.#admin.query(`drop database ${this.#name} with (force)`);
  }

  async #isWaitedFor(): Promise<boolean> {
    const { rowCount } = await this.#admin.query(
      "select 1 from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'",
      [this.#name],
    );
    return rowCount !== 0;
  }

  async #use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await connect(this.url);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

/** Not by a parser set in `pg`, so that the app under test has those that users have. */
function withNumbers({ rows, fields }: QueryResult<Row>): Row[] {
  for (const { name } of fields.filter(({ dataTypeID }) => dataTypeID === BIGINT)) {
    for (const row of rows) row[name] = row[name] === null ? null : Number(row[name]);
  }
  return rows;
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  outsiders.add(client);
  await client.connect();
  return client;
}

/** With `$1`, `$2` in place of each `?`. */
export function numbered(sql: string): string {
  let position = 0;
  return sql.replace(/\?/g, () => `$${++position}`);
}
