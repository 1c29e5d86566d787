import assert from "node:assert/strict";
import { test } from "node:test";

import { Board } from "../../../annotations/static/annotations/js/boxes/board.js";
import { cutToImage, inTheMiddle, moved, resized } from "../../../annotations/static/annotations/js/boxes/geometry.js";

function board(options = {}) {
  const events = [];
  const made = new Board({ record: (kind, t, detail) => events.push({ kind, t, ...detail }), ...options });
  return { made, events, kinds: () => events.map(({ kind, t, box }) => `${kind} ${box} ${t}`) };
}

const SHAPE = { x: 0.1, y: 0.2, width: 0.3, height: 0.4 };

test("a box leaves the image nowhere, and what is too small is none", () => {
  assert.deepEqual(cutToImage({ x: -0.1, y: 0.5, width: 0.4, height: 0.9 }), { x: 0, y: 0.5, width: 0.3, height: 0.5 });
  assert.equal(cutToImage({ x: 0.5, y: 0.5, width: 0.001, height: 0.5 }), null);
  assert.equal(cutToImage({ x: 1.2, y: 0.5, width: 0.5, height: 0.5 }), null);
  assert.deepEqual(moved(SHAPE, 9, -9), { x: 0.7, y: 0, width: 0.3, height: 0.4 });
  assert.deepEqual(resized(SHAPE, 9, -9), { x: 0.1, y: 0.2, width: 0.9, height: 0.002 });
  assert.deepEqual(inTheMiddle({ x: 0.5, y: 0, width: 0.4, height: 1 }), { x: 0.65, y: 0.375, width: 0.1, height: 0.25 });
});

test("a drawn box is selected until it has its class", () => {
  const { made, kinds } = board();
  assert.equal(made.draw(SHAPE, 100, 700, "mouse"), 1);
  assert.equal(made.selected, 1);
  assert.equal(made.unclassed.number, 1);
  made.classify(2, 900, "key");
  assert.equal(made.selected, null);
  assert.deepEqual(made.boxes, [{ number: 1, ...SHAPE, label: 2 }]);
  assert.deepEqual(kinds(), ["box_begin 1 100", "box_end 1 700", "box_class 1 900"]);
});

test("a box made by keys ends with the last key that gave it its shape", () => {
  const { made, kinds } = board();
  made.make(100);
  made.nudge("move", 0.1, 0, 300);
  made.nudge("resize", 0.1, 0, 650);
  made.classify(0, 900, "key");
  assert.deepEqual(kinds(), ["box_begin 1 100", "box_end 1 650", "box_class 1 900"]);
  assert.deepEqual(made.boxes[0], { number: 1, x: 0.475, y: 0.375, width: 0.35, height: 0.25, label: 0 });
});

test("arrow keys in a row are one edit, and a pause or another act ends it", () => {
  const { made, events } = board({ boxes: [{ number: 1, ...SHAPE, label: 0 }] });
  made.select(1);
  for (const t of [100, 200, 300]) made.nudge("move", 0.01, 0, t);
  made.nudge("move", 0.01, 0, 2000);
  made.nudge("resize", 0.01, 0, 2100);
  made.settle();
  assert.deepEqual(events.map(({ from, t, what }) => [from, t, what]), [[100, 300, "move"], [2000, 2000, "move"], [2100, 2100, "resize"]]);
});

test("numbers are never used twice, so that events stay with their box", () => {
  const { made } = board();
  made.draw(SHAPE, 1, 2, "mouse");
  made.remove(3);
  made.draw(SHAPE, 4, 5, "mouse");
  assert.deepEqual(made.boxes.map((box) => box.number), [2]);
});

test("every change can be taken back, the last one first", () => {
  const { made, kinds } = board();
  made.draw(SHAPE, 1, 2, "mouse");
  made.classify(0, 3, "key");
  made.select(1);
  made.reshape(1, { ...SHAPE, x: 0.5 }, 4, 5);
  made.remove(6);
  assert.deepEqual([0, 1, 2, 3].map((step) => [made.undo(10 + step), made.boxes.map(({ x, label }) => [x, label])]), [
    [true, [[0.5, 0]]], [true, [[0.1, 0]]], [true, [[0.1, null]]], [true, []],
  ]);
  assert.equal(made.undo(20), false);
  assert.equal(kinds().at(-1), "box_delete 1 13");
});

test("with one class there is nothing to choose", () => {
  const { made, kinds } = board({ onlyClass: 0 });
  made.draw(SHAPE, 1, 2, "touch");
  assert.equal(made.unclassed, null);
  assert.deepEqual(kinds(), ["box_begin 1 1", "box_end 1 2", "box_class 1 2"]);
});

test("a hundred boxes are the most", () => {
  const { made } = board({ onlyClass: 0 });
  for (let i = 0; i < 100; i += 1) assert.ok(made.draw(SHAPE, i, i + 0.5, "mouse"));
  assert.equal(made.draw(SHAPE, 200, 201, "mouse"), null);
  assert.equal(made.make(300), null);
  assert.equal(made.boxes.length, 100);
});

test("boxes are gone through in both directions", () => {
  const { made } = board({ onlyClass: 0 });
  for (let i = 0; i < 3; i += 1) made.draw(SHAPE, i, i, "mouse");
  made.select(null);
  const steps = [1, 1, 1, 1, -1].map((direction) => {
    made.step(direction);
    return made.selected;
  });
  assert.deepEqual(steps, [1, 2, 3, 1, 3]);
});
