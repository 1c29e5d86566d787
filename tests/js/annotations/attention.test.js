import assert from "node:assert/strict";
import { test } from "node:test";

import { Attention } from "../../../annotations/static/annotations/js/attention.js";

/** An attention of 400 ms, a recorder of what it tells, and `pass(ms)`, which lets time pass. */
function attentive() {
  let now = 0;
  let timers = [];
  const window = {
    navigator: { onLine: true },
    setTimeout: (run, ms) => {
      timers.push({ run, at: now + ms });
      return timers.at(-1);
    },
    clearTimeout: (one) => {
      timers = timers.filter((each) => each !== one);
    },
  };
  const document = { hidden: false, hasFocus: () => true };
  const told = [];
  const attention = new Attention({ document, window, clock: { now: () => now }, idleMs: 400 });
  attention.follow({ record: (kind, t) => told.push([kind, t]) });
  const pass = (ms) => {
    now += ms;
    const due = timers.filter((each) => each.at <= now);
    timers = timers.filter((each) => each.at > now);
    for (const one of due) one.run();
  };
  return { attention, told, pass };
}

test("nobody is idle about an image before it can be seen", () => {
  const { attention, told, pass } = attentive();
  pass(300);
  attention.seen();
  pass(399);
  assert.deepEqual(told, []);
  pass(1);
  assert.deepEqual(told, [["idle", 700]]);
});

test("who was idle when the image came is so until they move", () => {
  const { attention, told, pass } = attentive();
  pass(400);
  attention.seen();
  pass(500);
  attention.alive();
  assert.deepEqual(told, [["idle", 400], ["idle_end", 900], ["input", 900]]);
});
