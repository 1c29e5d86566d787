import assert from "node:assert/strict";
import test from "node:test";

import { Clock } from "../../../annotations/static/annotations/js/clock.js";
import { Prefetch, ShownMemory } from "../../../annotations/static/annotations/js/queue/prefetch.js";
import { Recorder } from "../../../annotations/static/annotations/js/recorder.js";
import { FakePerformance, FakeStorage, settle } from "./simulated.js";

const lease = (trial, more = {}) => ({ trial, position: trial, image: `/${trial}`, reissued: false, ...more });

function make({ failures = 0, storage = new FakeStorage() } = {}) {
  let left = failures;
  const clock = new Clock(new FakePerformance());
  const makeImage = () => ({
    complete: true,
    naturalWidth: 8,
    decode: () => ((left -= 1) >= 0 ? Promise.reject(new Error("broken")) : Promise.resolve()),
  });
  const memory = new ShownMemory(storage, "shown");
  return new Prefetch({ makeImage, makeRecorder: () => new Recorder(clock), memory, setTimer: (work) => work() });
}

test("leases wait in the order of their positions, each once", async () => {
  const prefetch = make();
  prefetch.add([lease(2), lease(1)]);
  prefetch.add([lease(2), lease(3)]);
  assert.deepEqual(prefetch.trials, [1, 2, 3]);
  const entry = prefetch.take();
  await entry.ready;
  assert.equal(entry.image.src, "/1");
});

test("an image that fails is tried again, and given up in the end", async () => {
  const prefetch = make({ failures: 3 });
  prefetch.add([lease(1)]);
  assert.ok((await prefetch.take().ready).image);
  const broken = make({ failures: 99 });
  broken.add([lease(1)]);
  await assert.rejects(broken.take().ready);
});

test("what was handed out before counts as seen unless this browser knows better", async () => {
  const storage = new FakeStorage();
  const before = make({ storage });
  before.add([lease(1), lease(2)]);
  before.memory.noteShown(1);
  const after = make({ storage });
  after.add([lease(1, { reissued: true }), lease(2, { reissued: true }), lease(3, { reissued: true })]);
  await settle();
  const said = after.waiting.map((entry) => entry.recorder.events.map((event) => event.kind).find((kind) => kind === "resumed" || kind === "unseen"));
  assert.deepEqual(said, ["resumed", "unseen", "resumed"]);
});
