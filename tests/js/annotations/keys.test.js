import assert from "node:assert/strict";
import test from "node:test";

import { KeyGate, characters, isForeign } from "../../../annotations/static/annotations/js/keys.js";
import { boxInStage } from "../../../annotations/static/annotations/js/presentation.js";

test("a held key is one press, with and without the browser's mark", () => {
  const gate = new KeyGate();
  assert.equal(gate.down({ code: "Digit1", repeat: false }), "press");
  assert.equal(gate.down({ code: "Digit1", repeat: true }), "repeat");
  assert.equal(gate.down({ code: "Digit1", repeat: false }), "repeat");
  gate.up({ code: "Digit1" });
  assert.equal(gate.down({ code: "Digit1", repeat: false }), "press");
});

test("the next key counts while the last is still going up", () => {
  const gate = new KeyGate();
  gate.down({ code: "Digit1" });
  assert.equal(gate.down({ code: "Digit2" }), "press");
});

test("a release that the window did not hear does not block the key", () => {
  const gate = new KeyGate();
  gate.down({ code: "Digit1" });
  gate.forget();
  assert.equal(gate.down({ code: "Digit1" }), "press");
});

test("a key stands for what it types, and for what is printed on it in other alphabets", () => {
  assert.deepEqual(characters({ key: "A", code: "KeyA" }), ["a", "a"]);
  assert.deepEqual(characters({ key: "ф", code: "KeyA" }), ["ф", "a"]);
  assert.deepEqual(characters({ key: "&", code: "Digit1" }), ["&", "1"]);
  assert.deepEqual(characters({ key: "3", code: "Numpad3" }), ["3", "3"]);
  assert.deepEqual(characters({ key: "Enter", code: "Enter" }), []);
});

test("shortcuts of the browser and typing in a field are left alone", () => {
  assert.equal(isForeign({ ctrlKey: true }), true);
  assert.equal(isForeign({ target: { closest: () => ({}) } }), true);
  assert.equal(isForeign({ target: { closest: () => null } }), false);
});

test("a box lies where the fitted image is", () => {
  const at = boxInStage([0.5, 0, 0.5, 1], { width: 100, height: 100 }, { width: 400, height: 200 });
  assert.deepEqual(at, { left: 200, top: 0, width: 100, height: 200 });
});
