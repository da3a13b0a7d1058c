import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

/** What a database must do, whichever it is. */
const EVERY = ["test/conformance/**/*.test.ts", "test/store/**/*.test.ts", "test/processes/**/*.test.ts"];

/** What only some databases have. */
const SERVERS = ["test/servers/**/*.test.ts"];
const SQLITE = [
  "test/sqlite/**/*.test.ts",
  "test/crash/**/*.test.ts",
  "test/llm/**/*.test.ts",
  "test/mcp/**/*.test.ts",
  "test/otel/**/*.test.ts",
];
const POSTGRES = ["test/postgres/**/*.test.ts"];
const MYSQL = ["test/mysql/**/*.test.ts"];

/**
 * Files at once. One more than there are cores: many wait for other processes, leases and back-offs. Not more: the
 * processes and servers that tests start want the cores too.
 */
const WORKERS = Math.min(availableParallelism() + 1, 8);

// For the hundreds of processes that tests start: each is there in a third of the time. The code under test in vitest's
// own processes does not go through this cache.
process.env["NODE_COMPILE_CACHE"] ??= join(tmpdir(), "romancy-tests-compiled");

/** The tests of one database; its server is started, or found, only when they are to run. */
function database(name: string, include: string[]): TestProjectInlineConfiguration {
  return {
    extends: true,
    test: {
      name,
      include,
      globalSetup: "test/support/servers/global-setup.ts",
      setupFiles: "test/support/skip-missing.ts",
    },
  };
}

const unit: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: "unit",
    include: ["test/**/*.test.ts"],
    exclude: [...EVERY, ...SERVERS, ...SQLITE, ...POSTGRES, ...MYSQL],
    typecheck: { enabled: true, include: ["test/types/**/*.test-d.ts"], tsconfig: "tsconfig.llm.json" },
  },
};

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One of thousands that fails once must not hide what all the others say. It is shown as retried, and is a fault of
    // the test or of the product that is to be found.
    retry: process.env["CI"] ? 1 : 0,
    pool: "forks",
    maxWorkers: WORKERS,
    execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc"],
    projects: [
      unit,
      database("sqlite", [...EVERY, ...SQLITE]),
      database("postgres", [...EVERY, ...SERVERS, ...POSTGRES]),
      database("mariadb", [...EVERY, ...SERVERS, ...MYSQL]),
      database("mysql", [...EVERY, ...SERVERS, ...MYSQL]),
    ],
    coverage: {
      provider: "v8",
      include: ["src/**"],
      exclude: ["src/store/migrations.gen.ts", "src/core/commit.ts"],
      reporter: ["text-summary", "html"],
      thresholds: { "src/core/**": { lines: 100, functions: 100, branches: 100, statements: 100 } },
    },
  },
});
