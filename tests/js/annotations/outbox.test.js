import assert from "node:assert/strict";
import test from "node:test";

import { MemoryStore, Outbox, Refused, SignedOut } from "../../../annotations/static/annotations/js/outbox.js";
import { settle } from "./simulated.js";

function make({ store = new MemoryStore(), send } = {}) {
  const log = { sent: [], states: [], refused: [], replies: [], timers: [] };
  const outbox = new Outbox({
    store,
    send: async (entry) => {
      log.sent.push(entry.trial);
      return send ? send(entry) : { ok: entry.trial };
    },
    onReply: (reply) => log.replies.push(reply),
    onRefused: (error, entry) => log.refused.push([error.message, entry.trial]),
    onState: (state) => log.states.push(state),
    setTimer: (work, ms) => log.timers.push({ work, ms }),
    clearTimer: () => {},
  });
  return { outbox, store, log };
}

const entry = (trial) => ({ trial, action: "answer", body: { events: [] } });

test("entries are delivered one at a time in their order, and forgotten when saved", async () => {
  let open = 0;
  const { outbox, store, log } = make({
    send: async () => {
      open += 1;
      assert.equal(open, 1);
      await settle();
      open -= 1;
      return {};
    },
  });
  for (const trial of [1, 2, 3]) outbox.add(entry(trial));
  for (let i = 0; i < 10; i += 1) await settle();
  assert.deepEqual(log.sent, [1, 2, 3]);
  assert.equal((await store.all()).length, 0);
});

test("without a network they wait, are said to wait, and go in order when it is back", async () => {
  let down = true;
  const { outbox, store, log } = make({
    send: async () => {
      if (down) throw new TypeError("Failed to fetch");
      return {};
    },
  });
  outbox.add(entry(1));
  outbox.add(entry(2));
  await settle();
  assert.deepEqual(log.states.at(-1), { waiting: 2, failing: true, signedOut: false });
  assert.equal((await store.all()).length, 2);
  down = false;
  log.timers.at(-1).work();
  await settle();
  assert.deepEqual(log.replies.length, 2);
  assert.equal((await store.all()).length, 0);
  assert.deepEqual(log.states.at(-1), { waiting: 0, failing: false, signedOut: false });
});

test("pauses between tries grow and end at a quarter of a minute", async () => {
  const { outbox, log } = make({ send: async () => { throw new Error("503"); } });
  outbox.add(entry(1));
  await settle();
  for (let i = 0; i < 7; i += 1) {
    log.timers.at(-1).work();
    await settle();
  }
  assert.deepEqual(log.timers.map((each) => each.ms), [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
});

test("what a closed tab left behind is delivered by the next page", async () => {
  const store = new MemoryStore();
  const first = make({ store, send: async () => { throw new TypeError("closed"); } });
  first.outbox.add(entry(7));
  await settle();
  const second = make({ store });
  await second.outbox.open();
  assert.deepEqual(second.outbox.trials, [7]);
  await second.outbox.deliver();
  assert.deepEqual(second.log.sent, [7]);
  assert.equal((await store.all()).length, 0);
});

test("what the server will never take is told and does not block the others", async () => {
  const { outbox, log, store } = make({
    send: async ({ trial }) => {
      if (trial === 1) throw new Refused("No class has the code 9.");
      return {};
    },
  });
  outbox.add(entry(1));
  outbox.add(entry(2));
  for (let i = 0; i < 5; i += 1) await settle();
  assert.deepEqual(log.refused, [["No class has the code 9.", 1]]);
  assert.deepEqual(log.sent, [1, 2]);
  assert.equal((await store.all()).length, 0);
});

test("signed out: kept, and said", async () => {
  const { outbox, log, store } = make({ send: async () => { throw new SignedOut("out"); } });
  outbox.add(entry(1));
  await settle();
  assert.equal(log.states.at(-1).signedOut, true);
  assert.equal((await store.all()).length, 1);
});

test("an entry waits for its last events, and is stored before", async () => {
  const { outbox, store, log } = make();
  let release;
  outbox.add(entry(1), new Promise((done) => { release = done; }));
  await settle();
  assert.deepEqual(log.sent, []);
  assert.equal((await store.all()).length, 1);
  release([{ t: 1, kind: "key_up" }]);
  await settle();
  assert.deepEqual(log.sent, [1]);
});

test("a store that fails does not stop deliveries", async () => {
  const store = { add: () => Promise.reject(new Error("full")), all: async () => [], remove: async () => {} };
  const { outbox, log } = make({ store });
  outbox.add(entry(1));
  await settle();
  assert.deepEqual(log.replies, [{ ok: 1 }]);
});
