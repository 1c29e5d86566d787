/** A simulated browser and participant: a clock that is turned by hand, frames, images, a server that keeps what it is sent. */

import { Clock, FrameMeter } from "../../../annotations/static/annotations/js/clock.js";
import { MemoryStore, Outbox } from "../../../annotations/static/annotations/js/outbox.js";
import { Prefetch, ShownMemory } from "../../../annotations/static/annotations/js/queue/prefetch.js";
import { Protocol } from "../../../annotations/static/annotations/js/protocol.js";
import { Recorder } from "../../../annotations/static/annotations/js/recorder.js";
import { Workbench } from "../../../annotations/static/annotations/js/workbench.js";

export class FakePerformance {
  constructor() {
    this.time = 1000;
    this.timeOrigin = 1.7e12;
  }

  now() {
    return this.time;
  }
}

export class FakeStorage {
  constructor() {
    this.items = new Map();
  }

  getItem(key) {
    return this.items.get(key) ?? null;
  }

  setItem(key, value) {
    this.items.set(key, value);
  }
}

class FakeImage {
  constructor() {
    this.complete = true;
    this.naturalWidth = 8;
  }

  setAttribute() {}

  decode() {
    return Promise.resolve();
  }
}

/** The timers and frames of a page, fired when its clock is turned. */
export class FakeWindow {
  constructor(performance) {
    this.performance = performance;
    this.timers = new Map();
    this.callbacks = [];
    this.last = 0;
    this.document = {
      createElement: () => ({
        setAttribute: () => {},
        getContext: () => ({ createImageData: (w, h) => ({ data: new Uint8ClampedArray(w * h * 4) }), putImageData: () => {} }),
      }),
    };
  }

  setTimeout(work, ms) {
    this.last += 1;
    this.timers.set(this.last, { work, at: this.performance.time + ms });
    return this.last;
  }

  clearTimeout(id) {
    this.timers.delete(id);
  }

  requestAnimationFrame(work) {
    this.callbacks.push(work);
  }

  /** Let `ms` pass, with the timers that fall due. */
  async pass(ms) {
    this.performance.time += ms;
    for (const [id, { work, at }] of [...this.timers]) {
      if (at <= this.performance.time && this.timers.delete(id)) work();
    }
    await settle();
  }

  /** Let one frame begin, `ms` after the last. */
  frame(ms = 1000 / 60) {
    this.performance.time += ms;
    for (const work of this.callbacks.splice(0)) work(this.performance.time);
  }
}

/** Lets everything that only waits for promises come to rest. */
export async function settle() {
  for (let i = 0; i < 40; i += 1) await Promise.resolve();
}

/** Takes answers as the real server does: each key once, each trial one answer, as many items as are wanted. */
export class FakeServer {
  constructor(nItems) {
    this.left = nItems;
    this.trials = 0;
    this.saved = [];
    this.keys = new Map();
    this.down = false;
    this.loseReplies = 0;
    this.heldByOthers = 0;
  }

  async post(path, body) {
    if (this.down) throw new TypeError("Failed to fetch");
    const [trial, action] = path === "next" ? [null, "next"] : path.split("/");
    let repeated = false;
    // The first request tells of the whole sitting, the others name it.
    if (typeof (action === "next" ? body.session?.key : body.session) !== "string") throw new Error("no session");
    if (action !== "next") {
      repeated = this.keys.has(body.client_key);
      if (!repeated) this.saved.push({ trial: Number(trial), action, ...body });
      this.keys.set(body.client_key, true);
    }
    const next = [];
    while (next.length < (body.want ?? 0) && this.left > 0) {
      this.left -= 1;
      this.trials += 1;
      next.push({ trial: this.trials, position: this.trials, item: this.trials, image: `/${this.trials}`, box: null, reissued: false });
    }
    if (this.loseReplies > 0 && action !== "next") {
      this.loseReplies -= 1;
      this.left += next.length;
      this.trials -= next.length;
      throw new TypeError("Failed to fetch");
    }
    const answered = new Set(this.saved.filter((each) => each.action !== "skip").map((each) => each.trial)).size;
    return { saved: true, repeated, next, finished: next.length < (body.want ?? 0), held_by_others: this.heldByOthers > 0, progress: { answered, skipped: 0, items: 99 } };
  }
}

/** All parts of a workbench but the page. `view.log` tells what was drawn. */
export function makeWorkbench({ nItems = 5, lookahead = 3, store = new MemoryStore(), server = new FakeServer(nItems), session = "tab-0001", protocol = {} } = {}) {
  const performance = new FakePerformance();
  const clock = new Clock(performance);
  const frames = [];
  const timers = [];
  const alarms = new FakeWindow(performance);
  const view = new Proxy({ log: [] }, {
    get: (target, name) => (name === "log" ? target.log : (...args) => target.log.push([name, ...args])),
  });
  const presentation = {
    shown: null,
    stage: { replaceChildren: (image) => { presentation.shown = image; } },
    clear: () => { presentation.shown = null; },
    show(image, recorder) {
      presentation.shown = image;
      recorder.record("placed");
      const visible = new Promise((done) => frames.push(done)).then((t) => {
        recorder.record("onset", t - 10, { by: "element" });
        return t;
      });
      return { visible, onset: visible.then((t) => ({ t: t - 10, by: "element" })) };
    },
  };
  const memory = new ShownMemory(new FakeStorage(), "shown");
  const prefetch = new Prefetch({ makeImage: () => new FakeImage(), makeRecorder: () => new Recorder(clock), memory });
  let keys = 0;
  const outbox = new Outbox({
    store,
    send: (entry) => workbench.supply.deliver(entry),
    onReply: (reply, entry) => workbench.supply.delivered(reply, entry),
    onRefused: (error, entry) => view.refused(error, entry),
    onState: (state) => view.deliveries(state),
    setTimer: (work) => timers.push(work),
    clearTimer: () => {},
  });
  const workbench = new Workbench({
    config: { lookahead, scope: "1:1" },
    sitting: { key: session },
    clock,
    frames: new FrameMeter(() => {}),
    prefetch,
    presentation,
    attention: { follow: () => {}, seen: () => {} },
    memory,
    outbox,
    server,
    view,
    makeProtocol: (outOfTime) =>
      new Protocol({ ...protocol, clock, window: alarms, outOfTime, stage: presentation.stage, frameMs: () => 1000 / 60 }),
    setTimer: (work) => timers.push(work),
    makeKey: () => `${session}-key-${(keys += 1)}`,
  });
  return {
    workbench, server, store, outbox, view, presentation, clock, performance, timers, alarms,
    /** The screen shows what was placed. */
    async paint() {
      performance.time += 17;
      while (frames.length > 0) frames.shift()(performance.time);
      await settle();
    },
    /** Look for `ms`, press the key of class `code`, and release it. */
    async press(code, ms = 500) {
      performance.time += ms;
      const { recorder } = workbench;
      const taken = workbench.answer(code, performance.time, "key", ["key_up"]);
      performance.time += 80;
      recorder?.record("key_up", performance.time);
      await settle();
      return taken;
    },
    async fireTimers() {
      for (const work of timers.splice(0)) work();
      await settle();
    },
  };
}
