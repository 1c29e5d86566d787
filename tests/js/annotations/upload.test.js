import assert from "node:assert/strict";
import test from "node:test";

import { problemWith, sentInWords, wireUpload } from "../../../annotations/static/annotations/js/upload.js";

const MIB = 2 ** 20;

test("what is sent is said in words", () => {
  assert.equal(sentInWords(0, 3 * MIB), "0.0 of 3.0 MiB sent");
  assert.equal(sentInWords(12.4 * MIB, 120 * MIB), "12 of 120 MiB sent");
  assert.equal(sentInWords(3 * MIB, 3 * MIB), "Everything is sent; the site is storing it.");
});

test("too many files and none are refused before anything is sent", () => {
  assert.equal(problemWith([], 100), "Choose a zip archive or image files first.");
  assert.equal(problemWith([], 100, "Choose a file first."), "Choose a file first.");
  assert.equal(problemWith(Array(101), 100), "101 files; 100 is the most at once. Put them into a zip archive.");
  assert.equal(problemWith(Array(100), 100), "");
  assert.equal(problemWith(Array(5000), 0), "");
});

/** A form as `wireUpload` sees it, and a server that answers once. */
function page({ status, reply, breaks = false, files = [1] }) {
  const part = () => ({ hidden: true, textContent: "", value: 0, disabled: false });
  const parts = { bar: part(), words: part(), problem: part(), button: part(), shown: part(), input: { files } };
  parts.shown.querySelector = (selector) => (selector === "progress" ? parts.bar : parts.words);
  const found = {
    "[data-upload-progress]": parts.shown,
    "[data-upload-problem]": parts.problem,
    "button:not([type=button])": parts.button,
    "input[type=file]": parts.input,
  };
  const form = {
    action: "/import/",
    dataset: { maxFiles: "100" },
    querySelector: (selector) => found[selector],
    addEventListener: (_, listener) => { parts.submit = () => listener({ preventDefault() {} }); },
  };
  globalThis.FormData = class {};
  globalThis.addEventListener = () => {};
  globalThis.removeEventListener = () => {};
  globalThis.location = { assign: (address) => { parts.went = address; } };
  globalThis.XMLHttpRequest = class {
    upload = { addEventListener: (_, listener) => { this.onProgress = listener; } };
    heard = {};
    open(method, address) { parts.sent = [method, address]; }
    setRequestHeader(name, value) { parts.header = [name, value]; }
    addEventListener(name, listener) { this.heard[name] = listener; }
    send() {
      this.onProgress({ loaded: MIB, total: 4 * MIB });
      parts.halfway = [parts.bar.value, parts.words.textContent, parts.button.disabled, parts.shown.hidden];
      this.status = status;
      this.response = reply;
      this.heard[breaks ? "error" : "load"]();
    }
  };
  wireUpload(form);
  return parts;
}

test("files are sent with their progress, then the job's page opens", async () => {
  const parts = page({ status: 200, reply: { next: "/jobs/7/" } });
  await parts.submit();
  assert.deepEqual(parts.sent, ["POST", "/import/"]);
  assert.deepEqual(parts.header, ["Accept", "application/json"]);
  assert.deepEqual(parts.halfway, [0.25, "1.0 of 4.0 MiB sent", true, false]);
  assert.equal(parts.went, "/jobs/7/");
});

test("what the site refuses is shown, and the files can be sent again", async () => {
  const parts = page({ status: 422, reply: { problems: ["A zip archive comes alone."] } });
  await parts.submit();
  assert.equal(parts.problem.textContent, "A zip archive comes alone.");
  assert.deepEqual([parts.problem.hidden, parts.button.disabled, parts.shown.hidden, parts.went], [false, false, true, undefined]);
});

test("an answer that is no JSON and a broken connection are told apart", async () => {
  const large = page({ status: 413, reply: null });
  await large.submit();
  assert.match(large.problem.textContent, /status 413/);
  const broken = page({ breaks: true });
  await broken.submit();
  assert.match(broken.problem.textContent, /connection broke. Nothing was imported/);
});

test("without files nothing is sent", async () => {
  const parts = page({ files: [] });
  await parts.submit();
  assert.equal(parts.sent, undefined);
  assert.equal(parts.problem.hidden, false);
});
