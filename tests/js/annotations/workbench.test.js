import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore } from "../../../annotations/static/annotations/js/outbox.js";
import { makeWorkbench, settle } from "./simulated.js";

const kinds = (entry) => entry.events.map((event) => event.kind);
const answers = (server) => server.saved.filter((each) => each.action === "answer").map((each) => [each.trial, each.label]);

test("a participant labels everything there is, and is told so", async () => {
  const sim = makeWorkbench({ nItems: 5 });
  await sim.workbench.start();
  for (let i = 0; i < 5; i += 1) {
    await sim.paint();
    assert.equal(await sim.press(i % 2), true);
  }
  assert.deepEqual(answers(sim.server), [[1, 0], [2, 1], [3, 0], [4, 1], [5, 0]]);
  assert.equal(sim.view.log.at(-1)[0], "done");
  assert.equal(sim.workbench.summary.answered, 5);
});

test("the next image is on the stage in the very task of the key", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  await sim.paint();
  const first = sim.presentation.shown;
  sim.performance.time += 500;
  sim.workbench.answer(0, sim.performance.time, "key");
  assert.notEqual(sim.presentation.shown, first);
  assert.notEqual(sim.presentation.shown, null);
});

test("the events say onset, key and release", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  await sim.paint();
  await sim.press(1, 640);
  const [saved] = sim.server.saved;
  assert.deepEqual(kinds(saved), ["issued", "fetch_start", "fetch_end", "decoded", "placed", "onset", "decision", "key_up"]);
  const at = Object.fromEntries(saved.events.map((event) => [event.kind, event.t]));
  assert.equal(at.decision - at.onset, 650);
  assert.equal(at.key_up - at.decision, 80);
});

test("a key before the image can be seen gives no label", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  assert.equal(await sim.press(1, 5), false);
  assert.equal(sim.server.saved.length, 0);
  await sim.paint();
  await sim.press(1, 300);
  assert.equal(kinds(sim.server.saved[0]).filter((kind) => kind === "early_key").length, 1);
});

test("a key stamped before the image was open is early, however late it is handled", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  const pressed = sim.performance.time;
  await sim.paint();
  assert.equal(sim.workbench.answer(1, pressed, "key"), false);
});

test("undo goes back, a correction supersedes, and what was on the screen is visited again", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  await sim.paint();
  await sim.press(0);
  await sim.paint();
  assert.equal(sim.workbench.undo(), true);
  await sim.press(1);
  assert.deepEqual(sim.server.saved.map((each) => [each.trial, each.action, each.label]), [[1, "answer", 0], [1, "correct", 1]]);
  await sim.paint();
  await sim.press(0);
  const second = sim.server.saved.at(-1);
  assert.equal(second.trial, 2);
  assert.deepEqual(kinds(second).filter((kind) => kind === "onset" || kind === "left"), ["onset", "left", "onset"]);
});

test("two steps back and forth again keep everything in its place", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  for (const code of [0, 1]) {
    await sim.paint();
    await sim.press(code);
  }
  await sim.paint();
  sim.workbench.undo();
  sim.workbench.undo();
  assert.equal(sim.workbench.current.entry.lease.trial, 1);
  sim.workbench.keep();
  assert.equal(sim.workbench.current.entry.lease.trial, 2);
  assert.equal(sim.workbench.current.mode, "correcting");
  sim.workbench.keep();
  assert.equal(sim.workbench.current.entry.lease.trial, 3);
  assert.deepEqual(sim.workbench.past.history.map((each) => each.entry.lease.trial), [1, 2]);
  assert.equal(sim.server.saved.length, 2);
});

test("skip says why, and can be taken back", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  await sim.paint();
  sim.workbench.skip("cannot_tell", "too dark");
  await settle();
  assert.deepEqual([sim.server.saved[0].action, sim.server.saved[0].reason, sim.server.saved[0].comment], ["skip", "cannot_tell", "too dark"]);
  sim.workbench.undo();
  await sim.press(1);
  assert.deepEqual([sim.server.saved[1].action, sim.server.saved[1].trial, sim.server.saved[1].label], ["correct", 1, 1]);
});

test("a break takes the image away; afterwards it is a second visit", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  await sim.paint();
  sim.workbench.pause();
  assert.equal(sim.presentation.shown, null);
  assert.equal(await sim.press(1), false);
  sim.workbench.resume();
  await sim.paint();
  await sim.press(1);
  assert.equal(kinds(sim.server.saved[0]).filter((kind) => kind === "onset").length, 2);
});

test("the network is cut twice in two hundred labels: nothing is lost, doubled or out of order", async () => {
  const sim = makeWorkbench({ nItems: 200, lookahead: 4 });
  await sim.workbench.start();
  for (let i = 1; i <= 200; i += 1) {
    if (i === 50 || i === 120) sim.server.down = true;
    if (i === 52 || i === 123) {
      sim.server.down = false;
      await sim.fireTimers();
    }
    if (i === 70) sim.server.loseReplies = 1;
    if (i === 71) await sim.fireTimers();
    await sim.paint();
    assert.equal(await sim.press(i % 3), true, `label ${i}`);
  }
  await sim.fireTimers();
  assert.equal(sim.server.saved.length, 200);
  assert.equal(new Set(sim.server.saved.map((each) => each.trial)).size, 200);
  assert.deepEqual(answers(sim.server).map(([trial]) => trial), Array.from({ length: 200 }, (_, i) => i + 1));
});

test("a closed tab: the next page delivers first, then asks, and holds nothing that was answered", async () => {
  const store = new MemoryStore();
  const first = makeWorkbench({ store, nItems: 9 });
  await first.workbench.start();
  await first.paint();
  first.server.down = true;
  await first.press(1);
  first.server.down = false;
  const second = makeWorkbench({ store, server: first.server, session: "tab-0002" });
  await second.workbench.start();
  assert.deepEqual(answers(first.server), [[1, 1]]);
  assert.equal(first.server.saved[0].session, "tab-0001");
  assert.equal(first.server.saved[0].want, undefined);
});

test("a tab that lost its right to label shows and takes nothing more", async () => {
  const sim = makeWorkbench();
  await sim.workbench.start();
  await sim.paint();
  sim.workbench.stop();
  assert.equal(await sim.press(0), false);
  sim.workbench.resume();
  assert.equal(sim.presentation.shown, null);
});

test("what others hold is waited for: it is said, and looked for again until it comes", async () => {
  const sim = makeWorkbench({ nItems: 1 });
  sim.server.heldByOthers = 1;
  await sim.workbench.start();
  await sim.paint();
  await sim.press(0);
  assert.deepEqual([sim.view.log.at(-1)[0], sim.view.log.at(-1)[2]], ["done", true]);
  sim.server.heldByOthers = 0;
  sim.server.left = 1;
  await sim.fireTimers();
  await sim.paint();
  await sim.press(1);
  assert.deepEqual(answers(sim.server), [[1, 0], [2, 1]]);
  assert.deepEqual([sim.view.log.at(-1)[0], sim.view.log.at(-1)[2]], ["done", false]);
  assert.equal(sim.timers.length, 0);
});
