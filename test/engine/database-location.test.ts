import { describe, expect, it } from "vitest";
import { kindOf, pathOf } from "../../src/engine/database-location.ts";
import { ValidationError } from "../../src/index.ts";

describe("the file of a SQLite database", () => {
  it.each([
    [":memory:", ":memory:"],
    ["workflow.db", "workflow.db"],
    ["what?.db", "what?.db"],
    ["C:\\data\\workflow.db", "C:\\data\\workflow.db"],
    ["file:relative.db", "relative.db"],
    ["file:./folder/a%20b.db", "./folder/a b.db"],
    ["file:what%3F.db", "what?.db"],
    ["file:/abs/a.db", "/abs/a.db"],
    ["file:///abs/a.db", "/abs/a.db"],
    ["file://localhost/abs/a.db", "/abs/a.db"],
    ["FILE:a.db", "a.db"],
    ["file::memory:", ":memory:"],
    ["sqlite:a.db", "a.db"],
    ["sqlite3:a.db", "a.db"],
    ["sqlite://a.db", "a.db"],
    ["sqlite://folder/a.db", "folder/a.db"],
    ["sqlite:///abs/a.db", "/abs/a.db"],
    ["sqlite::memory:", ":memory:"],
    ["sqlite://:memory:", ":memory:"],
  ])("of %s is %s", (database, path) => {
    expect(pathOf(database)).toBe(path);
    expect(kindOf(database)).toBe("sqlite");
  });

  it.each([
    ["file:", '":memory:"'],
    ["file://", '":memory:"'],
    ["file://localhost", '":memory:"'],
    ["sqlite:", '":memory:"'],
    ["sqlite://", '":memory:"'],
    ["sqlite3://", '":memory:"'],
    ["file:a.db?mode=ro", "a query string"],
    ["file:///a.db?", "a query string"],
    ["sqlite://a.db?cache=shared", "a query string"],
    ["file://a.db", "a host, a.db"],
    ["file://server/share/a.db", "a host, server"],
    ["file:100%.db", "%25"],
    ["sqlite:%E0%A4%A.db", "%25"],
  ])("is not named by %s", (database, message) => {
    expect(() => pathOf(database)).toThrow(ValidationError);
    expect(() => pathOf(database)).toThrow(message);
  });
});

it("knows servers by their schemes, and pools by their form", () => {
  expect(["postgres://a/b", "postgresql://a/b"].map(kindOf)).toEqual(["postgres", "postgres"]);
  expect(["mysql://a/b", "MariaDB://a/b"].map(kindOf)).toEqual(["mysql", "mysql"]);
  expect(kindOf("mongodb://a/b")).toBeUndefined();
  expect(kindOf("constructor:a")).toBeUndefined();
  expect(kindOf({ getConnection() {}, end() {} })).toBe("mysql");
  expect(kindOf({ connect() {}, end() {}, totalCount: 0 })).toBe("postgres");
});
