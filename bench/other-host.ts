/** Makes a process seem to be on another host, where its pid means nothing to others. */
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";

const name = process.env["ROMANCY_BENCH_HOST"] ?? "elsewhere";
os.hostname = () => name;
syncBuiltinESMExports();
