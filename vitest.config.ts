import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

/** What a database must do, whichever it is. */
const EVERY = ["test/conformance/**/*.test.ts", "test/store/**/*.test.ts"];

/** What only one database has. */
const SQLITE = ["test/sqlite/**/*.test.ts", "test/crash/**/*.test.ts"];

/** The tests of one database; its server is started, or found, only when they are to run. */
function database(name: string, include: string[] = EVERY): TestProjectInlineConfiguration {
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
    exclude: [...EVERY, ...SQLITE],
    typecheck: { enabled: true, include: ["test/types/**/*.test-d.ts"], tsconfig: "tsconfig.json" },
  },
};

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc"],
    projects: [
      unit,
      database("sqlite", [...EVERY, ...SQLITE]),
      database("postgres"),
      database("mariadb"),
      database("mysql"),
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
