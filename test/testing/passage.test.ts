/** Virtual time by itself, without an app. */
import { expect, it } from "vitest";
import { StuckError } from "../../src/testing/index.ts";
import { Passage } from "../../src/testing/passage.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const idle = { isMoving: () => false, tidy: async () => {} };

it("gives a wait up for which there is no end", async () => {
  const clock = new VirtualClock(0, 1);
  const passage = new Passage(clock, idle, 50);
  const again = (): void => void clock.after(1_000, again);
  again();
  await expect(passage.until(async () => undefined)).rejects.toThrow(StuckError);
  expect(clock.now()).toBe(50_000);
});

it("calls timers in the order of time, of one time in the order of asking, and none that was called off", async () => {
  const clock = new VirtualClock(1_000, 1);
  const passage = new Passage(clock, idle);
  const called: string[] = [];
  const note = (name: string) => () => void called.push(`${name} at ${clock.now()}`);
  clock.at(3_000, note("c"));
  clock.at(2_000, note("a"));
  clock.at(2_000, note("b"));
  const callOff = clock.after(500, note("never"));
  clock.at(1, note("past"));
  expect(called).toEqual([]);
  callOff();
  callOff();
  await passage.to(10_000);
  expect(called).toEqual(["past at 1000", "a at 2000", "b at 2000", "c at 3000"]);
  expect(clock.now()).toBe(10_000);
});

it("stands still while anything moves", async () => {
  const clock = new VirtualClock(0, 1);
  let looks = 0;
  const passage = new Passage(clock, { ...idle, isMoving: () => ++looks < 100 });
  clock.at(5, () => {});
  await passage.to(5);
  expect(looks).toBeGreaterThanOrEqual(100);
});

it("lets what is done now and then be done before the timers of that time", async () => {
  const clock = new VirtualClock(0, 1);
  const order: string[] = [];
  const passage = new Passage(clock, { ...idle, tidy: async () => void order.push(`tidy at ${clock.now()}`) });
  clock.at(59_000, () => order.push("early"));
  clock.at(61_000, () => order.push("late"));
  await passage.to(100_000);
  expect(order).toEqual(["early", "tidy at 61000", "late"]);
});
