/**
 * What the project's protocol adds to a presentation: a time limit, a flash (the image gives way to a mask after some
 * frames), and breaks. Without any of them it does nothing.
 */

const BLOCKS = 64;
const KEPT_INTERVAL_MS = 1000 / 60;

export class Protocol {
  /**
   * @param {object} parts timeLimitMs, flashFrames, breakAfter: of the project, null for none; outOfTime(t): called when
   *   the limit passes; frameMs(): the interval between frames, or null.
   */
  constructor({ timeLimitMs = null, flashFrames = null, breakAfter = null, clock, stage, window, outOfTime, frameMs }) {
    Object.assign(this, { timeLimitMs, flashFrames, breakAfter, clock, stage, window, outOfTime, frameMs });
    this.timer = null;
    this.deadline = Infinity;
    this.number = 0;
    this.sinceBreak = 0;
  }

  /** An image was placed on the stage in this very task; `onset` resolves with {t} when it was painted. */
  begin(recorder, onset) {
    this.#stop();
    const number = this.number;
    if (this.timeLimitMs) onset.then(({ t }) => number === this.number && this.#limit(recorder, t));
    if (this.flashFrames) this.#flash(recorder, number);
  }

  /** The trial was answered, left, or taken away. */
  end() {
    this.#stop();
  }

  /** Whether an answer at `t` comes after the limit. */
  isLate(t) {
    return t > this.deadline;
  }

  /** A trial is over. */
  count() {
    this.sinceBreak += 1;
  }

  get breakIsDue() {
    return Boolean(this.breakAfter) && this.sinceBreak >= this.breakAfter;
  }

  rested() {
    this.sinceBreak = 0;
  }

  #stop() {
    this.number += 1;
    this.window.clearTimeout(this.timer);
    this.deadline = Infinity;
  }

  #limit(recorder, onset) {
    recorder.record("limit", onset, { ms: this.timeLimitMs });
    this.deadline = onset + this.timeLimitMs;
    this.timer = this.window.setTimeout(() => this.#expire(), this.deadline - this.clock.now());
  }

  #expire() {
    const early = this.deadline - this.clock.now();
    // Timers may fire a little early.
    if (early > 0) this.timer = this.window.setTimeout(() => this.#expire(), early);
    else this.outOfTime(this.clock.now());
  }

  /** Let the image be seen for so many frames. Frames that the screen left out are counted by the time that passed. */
  #flash(recorder, number) {
    let first = null;
    let left = this.flashFrames;
    const frame = (t) => {
      if (number !== this.number) return;
      first ??= t;
      // The image is painted behind the first of these calls, so the mask is placed in the one after the last frame.
      if (left > 0) {
        left -= 1;
        this.window.requestAnimationFrame(frame);
        return;
      }
      this.stage.replaceChildren(this.mask());
      const ms = t - first;
      const frames = Math.max(this.flashFrames, Math.round(ms / (this.frameMs() ?? KEPT_INTERVAL_MS)));
      recorder.record("masked", t, { ms: Math.round(ms * 1000) / 1000, frames, wanted: this.flashFrames });
    };
    this.window.requestAnimationFrame(frame);
  }

  /** A pattern of grey blocks that leaves no afterimage of what was there; a new one each time. */
  mask() {
    const mask = this.window.document.createElement("canvas");
    mask.width = BLOCKS;
    mask.height = BLOCKS;
    mask.className = "wb__mask";
    mask.setAttribute("role", "img");
    mask.setAttribute("aria-label", "The image has been shown; answer from what you saw");
    const context = mask.getContext("2d");
    const pixels = context.createImageData(BLOCKS, BLOCKS);
    for (let i = 0; i < pixels.data.length; i += 4) {
      pixels.data.fill(Math.floor(Math.random() * 256), i, i + 3);
      pixels.data[i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    return mask;
  }
}
