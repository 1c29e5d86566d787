/**
 * Puts a decoded image on the screen and finds out when its first frame was painted.
 *
 * Element Timing dates the paint itself. Where the browser has none, or stays silent, the second animation frame after the
 * image was placed is taken: by then the frame with the image is on its way to the screen.
 */

const SILENCE_MS = 150;

export class Presentation {
  /** @param {HTMLElement} stage */
  constructor({ stage, clock, window }) {
    Object.assign(this, { stage, clock, window });
    this.awaited = new Map();
    this.number = 0;
    const kinds = window.PerformanceObserver?.supportedEntryTypes ?? [];
    if (kinds.includes("element")) {
      this.observer = new window.PerformanceObserver((list) => list.getEntries().forEach((entry) => this.#painted(entry)));
      this.observer.observe({ type: "element", buffered: false });
    }
  }

  #painted(entry) {
    const resolve = this.awaited.get(entry.identifier);
    if (resolve && entry.renderTime > 0) resolve({ t: entry.renderTime, by: "element" });
  }

  /**
   * Show the image (decoded before), in the present task, so that it is in the very next frame.
   * Returns `visible`, resolved when answers may count, and `onset`, resolved with {t, by}.
   */
  show(image, recorder) {
    const name = `item-${(this.number += 1)}`;
    image.setAttribute("elementtiming", name);
    const painted = new Promise((resolve) => this.awaited.set(name, resolve));
    this.stage.replaceChildren(image);
    recorder.record("placed");
    const visible = this.#secondFrame();
    const silent = visible.then(async (t) => {
      if (this.observer) await new Promise((done) => this.window.setTimeout(done, SILENCE_MS));
      return { t, by: "frames" };
    });
    const onset = Promise.race([painted, silent]).then(({ t, by }) => {
      this.awaited.delete(name);
      recorder.record("onset", t, { by });
      return { t, by };
    });
    return { visible, onset };
  }

  /** Take the image away, so that the next sight of it is a visit of its own. */
  clear() {
    this.stage.replaceChildren();
  }

  #secondFrame() {
    const frame = () => new Promise((done) => this.window.requestAnimationFrame(done));
    return frame().then(frame);
  }
}

/** Where a box (shares of the image) lies in a stage into which the image is fitted, in px. */
export function boxInStage([x, y, width, height], image, stage) {
  const scale = Math.min(stage.width / image.width, stage.height / image.height);
  const left = (stage.width - image.width * scale) / 2;
  const top = (stage.height - image.height * scale) / 2;
  return {
    left: left + x * image.width * scale,
    top: top + y * image.height * scale,
    width: width * image.width * scale,
    height: height * image.height * scale,
  };
}
