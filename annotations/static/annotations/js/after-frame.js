/**
 * What can wait until the next image is on the screen. Between a key and its frame there is only time for the image: words,
 * marks and storage come behind that frame, in their order. A page that is hidden has no frames, and one that goes has no
 * time: there it is done at once.
 */

const NO_FRAME_MS = 100;

export class AfterFrame {
  /** @param {Window} window */
  constructor(window) {
    this.window = window;
    this.waiting = [];
    window.addEventListener("pagehide", () => this.#doAll());
  }

  /** Do the work behind the next frame; resolves with what comes of it. */
  do(work) {
    return new Promise((done, fail) => {
      this.waiting.push(() => {
        try {
          done(work());
        } catch (error) {
          fail(error);
        }
      });
      if (this.waiting.length === 1) this.#await();
    });
  }

  #await() {
    // A frame is made behind its callbacks, and drawn while the page could go on: only the next one's callbacks say that
    // it is on its way. Behind that one is a task of its own.
    const frame = (then) => this.window.requestAnimationFrame(then);
    frame(() => frame(() => this.window.setTimeout(() => this.#doAll())));
    this.timer = this.window.setTimeout(() => this.#doAll(), NO_FRAME_MS);
  }

  #doAll() {
    this.window.clearTimeout(this.timer);
    const works = this.waiting;
    this.waiting = [];
    for (const work of works) work();
  }
}
