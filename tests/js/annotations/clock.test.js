import assert from "node:assert/strict";
import test from "node:test";

import { Clock, FrameMeter } from "../../../annotations/static/annotations/js/clock.js";
import { FakePerformance } from "./simulated.js";

test("an input has the time that the browser gave it, not the time of the listener", () => {
  const performance = new FakePerformance();
  const clock = new Clock(performance);
  performance.time = 1040;
  assert.equal(clock.stamp({ timeStamp: 1033.5 }), 1033.5);
});

test("a stamp that cannot be is replaced by the present time", () => {
  const clock = new Clock(new FakePerformance());
  for (const timeStamp of [0, -5, NaN, undefined, 1_700_000_000_000, 1002]) assert.equal(clock.stamp({ timeStamp }), 1000);
});

test("a clock that goes back is noticed, rounding is not", () => {
  const performance = new FakePerformance();
  const clock = new Clock(performance);
  clock.now();
  performance.time = 999.5;
  clock.now();
  assert.equal(clock.wentBack, false);
  performance.time = 990;
  clock.now();
  assert.equal(clock.wentBack, true);
});

test("the smallest step of the clock is found", () => {
  let calls = 0;
  const clock = new Clock({ now: () => Math.floor((calls += 1) / 10) * 0.1, timeOrigin: 0 });
  assert.equal(clock.resolution(), 0.1);
});

test("the frame interval is the median, so that one dropped frame does not change it", () => {
  let step = null;
  const meter = new FrameMeter((next) => { step = next; });
  meter.watch(6);
  for (const t of [0, 16.7, 33.4, 83.5, 100.2, 116.9]) step(t);
  assert.equal(meter.median(), 16.7);
});
