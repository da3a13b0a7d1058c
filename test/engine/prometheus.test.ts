import { expect, it } from "vitest";
import { Count, Histogram } from "../../src/engine/watching/prometheus.ts";

it("gives counters and gauges with their labels, quoted", () => {
  const started = new Count("counter", "started_total", "Those that began.", "workflow");
  started.add(1, 'a "b"\\\n');
  started.add(2, "c");
  started.add(1, "c");
  expect(started.lines()).toEqual([
    "# HELP started_total Those that began.",
    "# TYPE started_total counter",
    String.raw`started_total{workflow="a \"b\"\\\n"} 1`,
    'started_total{workflow="c"} 3',
  ]);
  const active = new Count("gauge", "active", "Those there are.");
  expect(active.lines().at(-1)).toBe("active 0");
  active.add(2);
  active.add(-1);
  expect(active.lines().at(-1)).toBe("active 1");
});

it("counts what is measured in buckets that hold the smaller ones too", () => {
  const durations = new Histogram([1, 5], "seconds", "How long.", "what");
  for (const value of [0.5, 1, 3, 9]) durations.add(value, "x");
  expect(durations.lines().slice(2)).toEqual([
    'seconds_bucket{what="x",le="1"} 2',
    'seconds_bucket{what="x",le="5"} 3',
    'seconds_bucket{what="x",le="+Inf"} 4',
    'seconds_sum{what="x"} 13.5',
    'seconds_count{what="x"} 4',
  ]);
});

it("keeps a thousand combinations of labels, and all others as one", () => {
  const received = new Count("counter", "received_total", "Events.", "type", "outcome");
  for (let n = 0; n < 1_500; n++) received.add(1, `type-${n}`, "sent");
  received.add(1, "type-3", "sent");
  const lines = received.lines();
  expect(lines).toHaveLength(2 + 1_001);
  expect(lines).toContain('received_total{type="type-3",outcome="sent"} 2');
  expect(lines.at(-1)).toBe('received_total{type="other",outcome="other"} 500');
});
