/**
 * Bringing the object close: what lies outside its box is dimmed, and the object fills the stage with some of its
 * surroundings. Stays on from image to image until it is switched off: whoever needs it for one small object needs it
 * for all of them, and all are then seen alike.
 */

import { boxInStage } from "./presentation.js";

/** Shares of the object's sides that stay in sight on each side of it. */
export const CONTEXT = 0.35;

export class ObjectFocus {
  /** @param {{root: HTMLElement, sight: object, stage: HTMLElement, button: HTMLElement|null}} parts */
  constructor({ root, sight, stage, button }) {
    Object.assign(this, { root, sight, stage, button });
    this.isOn = false;
    this.entry = null;
  }

  /** Another image is on the stage, or none. */
  show(entry) {
    this.entry = entry?.lease.box && entry.image ? entry : null;
    if (this.button) this.button.hidden = !this.entry;
    this.#apply();
  }

  toggle() {
    if (!this.entry) return;
    this.isOn = !this.isOn;
    if (!this.isOn) this.sight.reset();
    this.#apply();
  }

  #apply() {
    const shown = this.isOn && this.entry !== null;
    this.root.classList.toggle("is-focused", shown);
    this.button?.setAttribute("aria-pressed", String(shown));
    if (!shown) return;
    const { image, lease } = this.entry;
    const size = { width: image.naturalWidth, height: image.naturalHeight };
    const stage = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    this.sight.zoomTo(boxInStage(lease.box, size, stage), CONTEXT);
    this.sight.tell("adjusted", { dimmed: true });
  }
}
