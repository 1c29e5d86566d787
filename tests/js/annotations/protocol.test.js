import assert from "node:assert/strict";
import test from "node:test";

import { Protocol } from "../../../annotations/static/annotations/js/protocol.js";
import { FakePerformance, FakeWindow, makeWorkbench } from "./simulated.js";

const kinds = (entry) => entry.events.map((event) => event.kind);
const event = (entry, kind) => entry.events.find((each) => each.kind === kind);

test("when the time limit passes the trial is closed as such and the next image comes", async () => {
  const sim = makeWorkbench({ nItems: 2, protocol: { timeLimitMs: 800 } });
  await sim.workbench.start();
  await sim.paint();
  const first = sim.presentation.shown;
  await sim.alarms.pass(700);
  assert.equal(sim.presentation.shown, first);
  await sim.alarms.pass(120);
  const [saved] = sim.server.saved;
  assert.deepEqual([saved.trial, saved.action], [1, "out_of_time"]);
  assert.equal(event(saved, "limit").ms, 800);
  assert.ok(event(saved, "out_of_time").t - event(saved, "onset").t >= 800);
  assert.notEqual(sim.presentation.shown, first);
  await sim.paint();
  assert.equal(await sim.press(1, 300), true);
  assert.deepEqual(sim.server.saved.map((each) => each.action), ["out_of_time", "answer"]);
  assert.equal(sim.alarms.timers.size, 0);
});

test("a key stamped after the limit is no answer, though the timer is late", async () => {
  const sim = makeWorkbench({ protocol: { timeLimitMs: 800 } });
  await sim.workbench.start();
  await sim.paint();
  assert.equal(await sim.press(1, 900), false);
  assert.deepEqual(sim.server.saved.map((each) => each.action), ["out_of_time"]);
});

test("an answer in time ends the limit; a break stops it and the second visit has one of its own", async () => {
  const sim = makeWorkbench({ nItems: 2, protocol: { timeLimitMs: 800 } });
  await sim.workbench.start();
  await sim.paint();
  await sim.press(0, 500);
  await sim.paint();
  sim.workbench.pause();
  await sim.alarms.pass(5000);
  assert.deepEqual(sim.server.saved.map((each) => each.action), ["answer"]);
  sim.workbench.resume();
  await sim.paint();
  await sim.alarms.pass(900);
  assert.deepEqual(sim.server.saved.map((each) => each.action), ["answer", "out_of_time"]);
  assert.equal(kinds(sim.server.saved[1]).filter((kind) => kind === "limit").length, 2);
});

test("there is no going back to a trial that ran out of time", async () => {
  const sim = makeWorkbench({ protocol: { timeLimitMs: 800 } });
  await sim.workbench.start();
  await sim.paint();
  await sim.alarms.pass(900);
  assert.equal(sim.workbench.undo(), false);
});

function flashed({ frames, intervals }) {
  const performance = new FakePerformance();
  const window = new FakeWindow(performance);
  const stage = { shown: "image", replaceChildren: (mask) => { stage.shown = mask; } };
  const recorded = [];
  const recorder = { record: (kind, t, detail) => recorded.push({ kind, t, ...detail }) };
  const protocol = new Protocol({ flashFrames: frames, window, stage, outOfTime: () => {}, frameMs: () => 1000 / 60 });
  protocol.begin(recorder, Promise.resolve({ t: 0 }));
  const seen = intervals.map((ms) => {
    window.frame(ms);
    return stage.shown === "image";
  });
  return { protocol, recorded, seen, stage, window };
}

test("a flash is on the screen for exactly so many frames, then the mask", () => {
  const { seen, recorded } = flashed({ frames: 3, intervals: Array(6).fill(1000 / 60) });
  // Painted at the end of each of these frames: three times the image, then the mask.
  assert.deepEqual(seen, [true, true, true, false, false, false]);
  assert.deepEqual([recorded[0].kind, recorded[0].frames, recorded[0].ms], ["masked", 3, 50]);
});

test("frames that the screen left out are counted as shown", () => {
  const { recorded } = flashed({ frames: 2, intervals: [16, 50, 1000 / 60] });
  assert.deepEqual([recorded[0].frames, recorded[0].wanted, Math.round(recorded[0].ms)], [4, 2, 67]);
});

test("an answer during the flash leaves the next image alone", () => {
  const { protocol, window, stage, recorded } = flashed({ frames: 5, intervals: [16, 16] });
  protocol.end();
  for (let i = 0; i < 6; i += 1) window.frame();
  assert.equal(stage.shown, "image");
  assert.deepEqual(recorded, []);
});

test("going back to an answer in flash mode does not show the image again", async () => {
  const sim = makeWorkbench({ protocol: { flashFrames: 2 } });
  await sim.workbench.start();
  await sim.paint();
  await sim.press(0);
  await sim.paint();
  sim.workbench.undo();
  assert.equal(sim.presentation.shown, null);
});

test("a break is due after so many trials, and not when nothing is left", async () => {
  const sim = makeWorkbench({ nItems: 4, protocol: { breakAfter: 2 } });
  await sim.workbench.start();
  for (let i = 0; i < 2; i += 1) {
    await sim.paint();
    await sim.press(0);
  }
  assert.equal(sim.workbench.paused, true);
  const pause = sim.view.log.filter(([name]) => name === "pause");
  assert.deepEqual(pause.map(([, , due]) => due), [true]);
  sim.workbench.resume();
  for (let i = 0; i < 2; i += 1) {
    await sim.paint();
    await sim.press(0);
  }
  assert.equal(sim.view.log.at(-1)[0], "done");
});
