import assert from "node:assert/strict";
import { test } from "node:test";

import { AfterFrame } from "../../../annotations/static/annotations/js/after-frame.js";

/** A window whose frames and timers come when the test says so. */
function fakeWindow() {
  const frames = [];
  const timers = new Map();
  const listeners = {};
  let last = 0;
  return {
    requestAnimationFrame: (work) => frames.push(work),
    setTimeout: (work, ms = 0) => {
      timers.set((last += 1), { work, ms });
      return last;
    },
    clearTimeout: (id) => timers.delete(id),
    addEventListener: (name, work) => (listeners[name] = work),
    frames: () => {
      for (let i = 0; i < 2; i += 1) frames.splice(0).forEach((work) => work());
    },
    pass: (ms) => {
      for (const [id, timer] of [...timers]) {
        if (timer.ms > ms) continue;
        timers.delete(id);
        timer.work();
      }
    },
    leave: () => listeners.pagehide(),
  };
}

test("works come behind two frames, in their order, and say what came of them", async () => {
  const window = fakeWindow();
  const later = new AfterFrame(window);
  const done = [];
  const both = [later.do(() => done.push("a")), later.do(async () => "b")];
  window.pass(0);
  assert.deepEqual(done, [], "not before the frames");
  window.frames();
  assert.deepEqual(done, [], "not in one of them");
  window.pass(0);
  assert.deepEqual(done, ["a"]);
  assert.deepEqual(await Promise.all(both), [1, "b"]);
});

test("a page without frames does them all the same, once", () => {
  const window = fakeWindow();
  const later = new AfterFrame(window);
  let n = 0;
  later.do(() => (n += 1));
  window.pass(100);
  assert.equal(n, 1);
  window.frames();
  window.pass(100);
  assert.equal(n, 1);
});

test("a page that goes does them at once", () => {
  const window = fakeWindow();
  const later = new AfterFrame(window);
  let n = 0;
  later.do(() => (n += 1));
  window.leave();
  assert.equal(n, 1);
});

test("one that fails keeps no other from being done", async () => {
  const window = fakeWindow();
  const later = new AfterFrame(window);
  const failed = later.do(() => {
    throw new Error("full");
  });
  const fine = later.do(() => "fine");
  window.frames();
  window.pass(0);
  await assert.rejects(failed, /full/);
  assert.equal(await fine, "fine");
});

test("what is asked for while others are done waits for the next frame", () => {
  const window = fakeWindow();
  const later = new AfterFrame(window);
  const done = [];
  later.do(() => {
    done.push("first");
    later.do(() => done.push("second"));
  });
  window.frames();
  window.pass(0);
  assert.deepEqual(done, ["first"]);
  window.frames();
  window.pass(0);
  assert.deepEqual(done, ["first", "second"]);
});
