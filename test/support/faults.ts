/** A database that fails now and then. */
import { dialectName, watchDriver } from "./database.ts";

/** How each says that its disk gives trouble, which may pass. */
const TROUBLE = {
  sqlite: { errcode: 10 },
  postgres: { code: "58030" },
  mysql: { errno: 1021, code: "ER_DISK_FULL" },
} as const;

/** The calls that make the journal's changes durable. */
const COMMITS = {
  sqlite: /^commit$/,
  postgres: /^commit$|\binsert into romancy_(history|inbox)\b/,
  mysql: /\bcommit$/,
} as const;

/** While `body` runs, the first `times` commits of the app fail as if the disk were at fault. */
export async function failingCommits(times: number, body: () => Promise<void>): Promise<void> {
  let left = times;
  const stop = watchDriver({
    before({ text }) {
      if (!COMMITS[dialectName].test(text.trim()) || left === 0) return;
      left--;
      throw Object.assign(new Error("disk I/O error"), TROUBLE[dialectName]);
    },
  });
  try {
    await body();
  } finally {
    stop();
  }
  if (left > 0) throw new Error(`Only ${times - left} of ${times} commits were seen and failed.`);
}
