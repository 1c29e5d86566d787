import assert from "node:assert/strict";
import test from "node:test";

import { found, plain } from "../../../annotations/static/annotations/js/class-picker.js";

const classes = ["Great heron", "Little egret", "Grey heron", "Heron, night", "Tanager", "Höckerschwan"].map((name, code) => ({ name, code }));
const names = (query, recent) => found(classes, query, recent).map((each) => each.name);

test("every word has to be in the name, in any order; names that begin with the query come first", () => {
  assert.deepEqual(names("heron"), ["Heron, night", "Great heron", "Grey heron"]);
  assert.deepEqual(names("heron gre"), ["Great heron", "Grey heron"]);
  assert.deepEqual(names("  GREY  "), ["Grey heron"]);
  assert.deepEqual(names("wren"), []);
});

test("the beginning of a word comes before its middle", () => {
  assert.deepEqual(names("e"), ["Little egret", "Great heron", "Grey heron", "Heron, night", "Tanager", "Höckerschwan"]);
});

test("accents and case do not matter", () => {
  assert.equal(plain("Café Ångström"), "cafe angstrom");
  assert.deepEqual(names("hocker"), ["Höckerschwan"]);
});

test("without a query: the last given first, then all, each once", () => {
  assert.deepEqual(names("", [4, 1]).slice(0, 3), ["Tanager", "Little egret", "Great heron"]);
  assert.equal(names("", [4, 1]).length, classes.length);
});

test("a thousand classes are searched between two frames", () => {
  const many = Array.from({ length: 1000 }, (_, code) => ({ code, name: `Class number ${code}` }));
  assert.equal(found(many, "number 77").map((each) => each.code)[0], 77);
});
