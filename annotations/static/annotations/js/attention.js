/**
 * What happens around a trial: the page hidden, the keyboard elsewhere, the network gone, nobody there, the computer asleep.
 * Told to the recorder of the trial that is shown.
 */

const TICK_MS = 2000;
const HALTED_MS = 10_000;
const INPUT_EVERY_MS = 1000;
const SIGNS_OF_LIFE = ["pointermove", "pointerdown", "wheel", "keydown", "touchmove"];

export class Attention {
  /** @param {{document: Document, window: Window, clock: object, idleMs: number}} surroundings */
  constructor({ document, window, clock, idleMs, wallNow = () => Date.now() }) {
    Object.assign(this, { document, window, clock, idleMs, wallNow });
    this.recorder = null;
    this.idleTimer = null;
    this.isIdle = false;
    this.lastInput = -Infinity;
  }

  start() {
    this.document.addEventListener("visibilitychange", () => this.#tell(this.document.hidden ? "hidden" : "visible"));
    this.window.addEventListener("blur", () => this.#tell("blur"));
    this.window.addEventListener("focus", () => this.#tell("focus"));
    this.window.addEventListener("offline", () => this.#tell("offline"));
    this.window.addEventListener("online", () => this.#tell("online"));
    for (const kind of SIGNS_OF_LIFE) {
      this.window.addEventListener(kind, () => this.alive(), { passive: true, capture: true });
    }
    this.lastTick = { page: this.clock.now(), wall: this.wallNow() };
    this.window.setInterval(() => this.tick(), TICK_MS);
  }

  /** Follow another trial; what holds at its start is recorded with it. */
  follow(recorder) {
    this.recorder = recorder;
    this.since = this.clock.now();
    this.isIdle = false;
    if (recorder) {
      if (this.document.hidden) this.#tell("hidden");
      if (!this.document.hasFocus()) this.#tell("blur");
      if (this.window.navigator.onLine === false) this.#tell("offline");
    }
    this.#waitForIdleness();
  }

  /** The image can be seen: only from here on can somebody be idle about it, however late it was painted. */
  seen() {
    if (!this.isIdle) this.#waitForIdleness();
  }

  /** Somebody moved, pressed or touched something. */
  alive() {
    const now = this.clock.now();
    if (this.isIdle) {
      this.isIdle = false;
      this.#tell("idle_end", now);
    }
    if (now - this.lastInput < INPUT_EVERY_MS) return;
    this.lastInput = now;
    this.#tell("input", now);
    this.#waitForIdleness();
  }

  /** A tick that comes far too late, or later by the wall clock than by the page's, says that everything stood still. */
  tick() {
    const now = { page: this.clock.now(), wall: this.wallNow() };
    const page = now.page - this.lastTick.page;
    const wall = now.wall - this.lastTick.wall;
    if (!this.document.hidden && (page > HALTED_MS || wall - page > HALTED_MS)) {
      // A trial's events begin with the trial: an earlier time would contradict what the server saw of it.
      this.#tell("suspended", Math.max(this.lastTick.page, this.since ?? 0));
      this.#tell("suspended_end", now.page);
    }
    this.lastTick = now;
  }

  #waitForIdleness() {
    this.window.clearTimeout(this.idleTimer);
    if (!this.recorder) return;
    this.idleTimer = this.window.setTimeout(() => {
      this.isIdle = true;
      this.#tell("idle");
    }, this.idleMs);
  }

  #tell(kind, t = this.clock.now()) {
    this.recorder?.record(kind, t);
  }
}
