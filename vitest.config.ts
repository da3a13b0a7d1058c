import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc"],
    typecheck: { enabled: true, include: ["test/types/**/*.test-d.ts"], tsconfig: "tsconfig.json" },
    coverage: {
      provider: "v8",
      include: ["src/**"],
      exclude: ["src/store/migrations.gen.ts", "src/core/commit.ts"],
      reporter: ["text-summary", "html"],
      thresholds: { "src/core/**": { lines: 100, functions: 100, branches: 100, statements: 100 } },
    },
  },
});
