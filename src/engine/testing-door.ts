/** What `romancy/testing` asks of a started app; not for users. */
import { type Duration, toMilliseconds } from "../core/duration.ts";
import type { Running } from "./running.ts";
import type { Load } from "./seams.ts";

export interface TestingDoor {
  readonly load: Load;
  /** As if the process had died: nothing is written from here on, handed back or told. */
  kill(): void;
  /** Does what is done now and then: removes what nobody needs any more, and calls for messages that a crash held up. */
  tidy(): Promise<void>;
  /** @throws ValidationError */
  toMilliseconds(duration: Duration, what: string): number;
}

/** @param letGo leaves the process as it was found */
export function testingDoor(running: Running, letGo: () => void): TestingDoor {
  return {
    load: running.load,
    kill: () => {
      running.kill();
      letGo();
    },
    tidy: async () => {
      await running.housekeeping.clean();
      await running.housekeeping.rouseAll();
    },
    toMilliseconds,
  };
}
