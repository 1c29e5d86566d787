/**
 * The events of one trial, in the order in which they were recorded. Nothing is judged here: the server derives durations
 * from them by rules that have a version, and can do so again.
 */

const EVENTS_AT_MOST = 400;
const OF_A_KIND_AT_MOST = { input: 60, repeat: 20, early_key: 20, second_click: 20, hidden: 60, blur: 60, zoom: 30, adjusted: 30 };
const NEVER_DROPPED = new Set(["onset", "decision", "skip", "key_up", "pointer_up", "left", "frame", "clock_back", "limit", "masked", "out_of_time",
  "box_begin", "box_end", "box_class", "box_edit", "box_delete"]);

export class Recorder {
  constructor(clock) {
    this.clock = clock;
    this.events = [];
    this.counts = {};
    this.waiting = [];
  }

  /** Record that `kind` happened at `t` (now, unless something better is known). Returns whether it was kept. */
  record(kind, t = this.clock.now(), detail = {}) {
    if (this.clock.wentBack && !this.counts.clock_back) this.#keep("clock_back", t, {});
    const full = this.events.length >= EVENTS_AT_MOST || this.count(kind) >= (OF_A_KIND_AT_MOST[kind] ?? Infinity);
    if (full && !NEVER_DROPPED.has(kind)) return false;
    this.#keep(kind, t, detail);
    this.waiting = this.waiting.filter(({ kinds, done }) => {
      if (!kinds.every((each) => this.count(each) > 0)) return true;
      done();
      return false;
    });
    return true;
  }

  #keep(kind, t, detail) {
    this.counts[kind] = this.count(kind) + 1;
    this.events.push({ t: Math.round(t * 1000) / 1000, kind, ...detail });
  }

  count(kind) {
    return this.counts[kind] ?? 0;
  }

  /** Resolve when each of the kinds has been recorded, or after `limitMs`: the release of a key comes after the answer. */
  settled(kinds, limitMs, setTimer = setTimeout) {
    if (kinds.every((kind) => this.count(kind) > 0)) return Promise.resolve();
    return new Promise((done) => {
      this.waiting.push({ kinds, done });
      setTimer(done, limitMs);
    });
  }
}
