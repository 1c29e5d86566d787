import assert from "node:assert/strict";
import test from "node:test";

import { Clock } from "../../../annotations/static/annotations/js/clock.js";
import { Recorder } from "../../../annotations/static/annotations/js/recorder.js";
import { FakePerformance, settle } from "./simulated.js";

const make = () => {
  const performance = new FakePerformance();
  return { performance, recorder: new Recorder(new Clock(performance)) };
};

test("events are kept in order with their times and details", () => {
  const { performance, recorder } = make();
  recorder.record("placed");
  performance.time = 1016.66666;
  recorder.record("onset", 1012, { by: "element" });
  recorder.record("decision");
  assert.deepEqual(recorder.events, [
    { t: 1000, kind: "placed" }, { t: 1012, kind: "onset", by: "element" }, { t: 1016.667, kind: "decision" },
  ]);
});

test("floods are cut, what decides is never dropped", () => {
  const { recorder } = make();
  for (let i = 0; i < 1000; i += 1) recorder.record("repeat");
  for (let i = 0; i < 1000; i += 1) recorder.record("visible");
  recorder.record("decision");
  recorder.record("key_up");
  assert.equal(recorder.count("repeat"), 20);
  assert.equal(recorder.events.length, 402);
  assert.equal(recorder.events.at(-1).kind, "key_up");
});

test("a clock that went back is an event of the trial", () => {
  const { performance, recorder } = make();
  recorder.record("placed");
  performance.time = 500;
  recorder.record("visible");
  assert.deepEqual(recorder.events.map((each) => each.kind), ["placed", "clock_back", "visible"]);
});

test("settled waits for what is still to come, or for the limit", async () => {
  const { recorder } = make();
  const timers = [];
  const done = [];
  recorder.settled(["key_up"], 400, (work) => timers.push(work)).then(() => done.push("released"));
  recorder.settled(["onset"], 400, (work) => timers.push(work)).then(() => done.push("limit"));
  await settle();
  assert.deepEqual(done, []);
  recorder.record("key_up");
  await settle();
  assert.deepEqual(done, ["released"]);
  timers[1]();
  await settle();
  assert.deepEqual(done, ["released", "limit"]);
});
