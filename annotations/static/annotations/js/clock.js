/**
 * One monotonic clock for everything in a trial: milliseconds since the page's time origin, the zero that
 * `event.timeStamp` and paint times have too. Never `Date`: it jumps when the computer's time is set.
 */

const BACK_TOLERANCE_MS = 1;

export class Clock {
  /** @param {{now: () => number, timeOrigin: number}} performance */
  constructor(performance) {
    this.performance = performance;
    this.latest = -Infinity;
    this.wentBack = false;
  }

  now() {
    const now = this.performance.now();
    if (now < this.latest - BACK_TOLERANCE_MS) this.wentBack = true;
    else if (now > this.latest) this.latest = now;
    return now;
  }

  /**
   * When an input happened: the browser's own stamp, given before any listener had its turn.
   * An event without one that can be (made by a script, or by a browser of another clock) gets the time of now.
   */
  stamp(event) {
    const now = this.now();
    const stamp = event.timeStamp;
    return Number.isFinite(stamp) && stamp > 0 && stamp <= now + BACK_TOLERANCE_MS ? stamp : now;
  }

  /** What the server keeps about the clock. The smallest step is looked for, not asked for. */
  facts() {
    return { time_origin: this.performance.timeOrigin, resolution_ms: this.resolution() };
  }

  resolution(tries = 20) {
    let smallest = Infinity;
    for (let i = 0; i < tries; i += 1) {
      const start = this.performance.now();
      let next = start;
      for (let spins = 0; next === start && spins < 5000; spins += 1) next = this.performance.now();
      if (next > start) smallest = Math.min(smallest, next - start);
    }
    return Number.isFinite(smallest) ? Math.round(smallest * 1e6) / 1e6 : null;
  }
}

/** The interval between frames, as the median of the last ones seen. */
export class FrameMeter {
  constructor(requestFrame, { keep = 31 } = {}) {
    this.requestFrame = requestFrame;
    this.keep = keep;
    this.intervals = [];
    this.running = false;
  }

  /** Watch `frames` frames from now on. Watching always would keep the computer awake for nothing. */
  watch(frames = 8) {
    if (this.running) return;
    this.running = true;
    let last = null;
    let left = frames;
    const step = (t) => {
      if (last !== null && t > last) this.intervals.push(t - last);
      if (this.intervals.length > this.keep) this.intervals.splice(0, this.intervals.length - this.keep);
      last = t;
      left -= 1;
      if (left > 0) this.requestFrame(step);
      else this.running = false;
    };
    this.requestFrame(step);
  }

  median() {
    if (this.intervals.length === 0) return null;
    const sorted = [...this.intervals].sort((a, b) => a - b);
    return Math.round(sorted[sorted.length >> 1] * 100) / 100;
  }
}
