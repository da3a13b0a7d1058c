/** A workflow that calls models where neither the AI SDK nor, at last, a provider's package is installed. */
import { registerHooks } from "node:module";
import { defineWorkflow, Romancy } from "../../../src/index.ts";
import { call } from "../../../src/llm/index.ts";

const missing = new Set(["ai", "@ai-sdk/openai"]);
registerHooks({
  resolve(specifier, context, next) {
    if (missing.has(specifier)) throw new Error(`Cannot find package '${specifier}'`);
    return next(specifier, context);
  },
});

const ask = defineWorkflow("ask", async (ctx) => {
  await call(ctx, "Hi", { model: "openai/gpt-5" });
});

const quiet = (): void => {};
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
await using app = new Romancy({ database: ":memory:", workflows: [ask], logger });
await app.start();
for (const installed of ["ai", undefined]) {
  const handle = await ask.start(app);
  await handle.result().catch((error: { cause: { cause: Error } }) => console.log(String(error.cause.cause)));
  if (installed !== undefined) missing.delete(installed);
}
