import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

/** The module alone, with the version that it looks at changed: no older Node is at hand. */
it("tells the user of an older Node in one clear line", () => {
  const module = fileURLToPath(new URL("../../src/engine/require-node.ts", import.meta.url));
  const program = `
    Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });
    await import(${JSON.stringify(module)}).catch((error) => console.log(error.message));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  expect(stdout).toBe("romancy needs Node.js 22.13 or newer; this is 20.20.2. Please upgrade Node.js.\n");
});
