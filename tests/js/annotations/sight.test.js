import assert from "node:assert/strict";
import { test } from "node:test";

import { Sight, keptInside, zoomedAbout } from "../../../annotations/static/annotations/js/sight.js";

function sighted() {
  const style = () => ({ setProperty() {} });
  const told = [];
  const sight = new Sight({
    stage: { clientWidth: 400, clientHeight: 200 }, frame: { style: style() }, picture: { style: style() },
  });
  sight.begin((kind, detail) => told.push([kind, detail]));
  return { sight, told };
}

test("the point under the cursor stays where it is", () => {
  const point = { x: 100, y: 50 };
  const { scale, x, y } = zoomedAbout({ scale: 2, x: -60, y: -30 }, 3, point);
  assert.equal((point.x - x) / scale, (point.x + 60) / 2);
  assert.equal((point.y - y) / scale, (point.y + 30) / 2);
});

test("an enlarged picture always covers its stage, a plain one lies on it", () => {
  const stage = { width: 400, height: 200 };
  assert.deepEqual(keptInside({ scale: 2, x: 50, y: -900 }, stage), { scale: 2, x: 0, y: -200 });
  const { x, y } = keptInside({ scale: 1, x: 30, y: -30 }, stage);
  assert.deepEqual([x + 0, y + 0], [0, 0]);
});

test("a change is told, the same again is not, and panning an image that is not enlarged does nothing", () => {
  const { sight, told } = sighted();
  sight.pan(10, 10);
  sight.zoom(2);
  sight.zoom(1);
  sight.adjust("brightness", 140);
  sight.adjust("brightness", 140);
  sight.adjust("saturation", 140);
  sight.adjust("contrast", NaN);
  assert.deepEqual(told, [["zoom", { scale: 2 }], ["adjusted", { brightness: 140, contrast: 100 }]]);
  assert.equal(sight.picture.style.filter, "brightness(140%) contrast(100%)");
});

test("the next image begins plain, but as light as the last, and says so", () => {
  const { sight, told } = sighted();
  sight.zoom(4);
  sight.step("contrast", 1);
  const next = [];
  sight.begin((kind, detail) => next.push([kind, detail]));
  assert.equal(sight.frame.style.transform, "");
  assert.deepEqual(next, [["adjusted", { brightness: 100, contrast: 120 }]]);
  sight.reset();
  assert.deepEqual(next[1], ["adjusted", { brightness: 100, contrast: 100 }]);
  assert.equal(told.length, 2);
});
