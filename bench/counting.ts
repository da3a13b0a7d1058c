/** Counts what the library asks of its database, by way of the driver's own classes. To be imported before apps are made. */
import { DatabaseSync } from "node:sqlite";
import mysql from "mysql2";
import { Client } from "pg";

/** So far, of this process. */
export const counts = {
  /** Calls of the driver: on a server, each is a query and waits for an answer. */
  queries: 0,
  /** Transactions that wrote, be they of one statement. */
  commits: 0,
};

type Query = (this: object, ...args: unknown[]) => unknown;

const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function counted(this: DatabaseSync, sql: string): void {
  if (sql === "commit") counts.commits++;
  exec.call(this, sql);
};

// The class is there, though the types know only its interface; pools' connections are derived from it.
const { prototype: mysqlPrototype } = (mysql as unknown as { Connection: { prototype: { query: Query } } }).Connection;
for (const prototype of [Client.prototype as unknown as { query: Query }, mysqlPrototype]) {
  const { query } = prototype;
  prototype.query = function counted(...args) {
    const [first] = args as [string | { text?: string; sql?: string }];
    note(this, typeof first === "string" ? first : (first.text ?? first.sql ?? ""));
    return query.apply(this, args);
  };
}

const BEGINS = /^\s*(?:begin|start transaction|set transaction)\b/i;
const WRITES = /^\s*(?:with\b.*\b(?:insert into|update|delete from)|insert|update|delete)\b/is;

/** Connections with a transaction open. */
const open = new WeakSet<object>();

/** Texts may hold several statements: one that begins a transaction may end it too. */
function note(connection: object, text: string): void {
  counts.queries++;
  if (BEGINS.test(text)) open.add(connection);
  if (text.endsWith("commit")) counts.commits++;
  else if (!open.has(connection) && WRITES.test(text)) counts.commits++;
  if (/(?:commit|rollback)$/.test(text)) open.delete(connection);
}
