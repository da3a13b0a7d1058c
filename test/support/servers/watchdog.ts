/**
 * Ends a server and removes its folder as soon as nobody holds the other end of its standard input: when it is told to,
 * and when the process that started the server has died, however that came.
 */
import { rmSync } from "node:fs";
import { endAll } from "./processes.ts";

const [folder, signal] = process.argv.slice(2) as [string, NodeJS.Signals];

process.stdin.resume().on("close", () => {
  endAll(folder, signal).then(
    () => rmSync(folder, { recursive: true, force: true }),
    () => process.exit(1),
  );
});
