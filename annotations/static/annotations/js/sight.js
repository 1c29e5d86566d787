/**
 * How the image is looked at: enlarged, moved, lighter, with more contrast. Only the page shows it so: the image itself is
 * never changed. Each change is told, for an image seen otherwise is another stimulus.
 *
 * The magnification belongs to one image and begins anew with the next. Light and contrast stay until they are set back:
 * who needs dark images lighter needs it for all of them.
 */

export const SCALE_AT_MOST = 16;
const LIGHT = { least: 40, most: 300, step: 20 };

const within = (value, least, most) => Math.min(most, Math.max(least, value));

/** The place (px) at which a point of the stage stays where it is while the scale changes. */
export function zoomedAbout({ scale, x, y }, to, point) {
  const ratio = to / scale;
  return { scale: to, x: point.x - (point.x - x) * ratio, y: point.y - (point.y - y) * ratio };
}

/** Keep an enlarged picture over its stage. */
export function keptInside({ scale, x, y }, stage) {
  return { scale, x: within(x, stage.width * (1 - scale), 0), y: within(y, stage.height * (1 - scale), 0) };
}

export class Sight {
  /** `stage`: what the image is fitted into; `frame`: what is enlarged in it; `picture`: what is made lighter. */
  constructor({ stage, frame, picture, onChange = () => {} }) {
    Object.assign(this, { stage, frame, picture, onChange });
    this.place = { scale: 1, x: 0, y: 0 };
    this.light = { brightness: 100, contrast: 100 };
    this.tell = () => {};
  }

  get isAdjusted() {
    return this.light.brightness !== 100 || this.light.contrast !== 100;
  }

  /** Begin with another image; `record(kind, detail)` is told of what changes from now on. */
  begin(record = () => {}) {
    this.tell = record;
    // Asking for the size of the stage makes the browser lay the page out: not between a key and the next image.
    if (this.place.scale !== 1) this.#put({ scale: 1, x: 0, y: 0 });
    if (this.isAdjusted) record("adjusted", { ...this.light });
  }

  /** Enlarge by a factor about a point of the stage (its middle). */
  zoom(factor, point = { x: this.stage.clientWidth / 2, y: this.stage.clientHeight / 2 }) {
    const scale = within(this.place.scale * factor, 1, SCALE_AT_MOST);
    if (scale === this.place.scale) return;
    this.#put(zoomedAbout(this.place, scale, point));
    this.tell("zoom", { scale: Math.round(scale * 100) / 100 });
  }

  /** Enlarge until a rectangle of the stage (px at scale 1) fills it, with `context` of its sides around it. */
  zoomTo({ left, top, width, height }, context = 0) {
    const stage = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    const fits = Math.min(stage.width / (width * (1 + 2 * context)), stage.height / (height * (1 + 2 * context)));
    const scale = within(fits, 1, SCALE_AT_MOST);
    const x = stage.width / 2 - (left + width / 2) * scale;
    const y = stage.height / 2 - (top + height / 2) * scale;
    this.#put({ scale, x, y });
    if (scale !== 1) this.tell("zoom", { scale: Math.round(scale * 100) / 100 });
  }

  /** Move an enlarged image by px. */
  pan(dx, dy) {
    if (this.place.scale === 1) return;
    this.#put({ ...this.place, x: this.place.x + dx, y: this.place.y + dy });
  }

  /** Set `brightness` or `contrast` in per cent. */
  adjust(name, percent) {
    const value = within(percent, LIGHT.least, LIGHT.most);
    if (!(name in this.light) || !Number.isFinite(value) || value === this.light[name]) return;
    this.light[name] = value;
    this.#shine();
    this.tell("adjusted", { ...this.light });
  }

  step(name, direction) {
    this.adjust(name, this.light[name] + direction * LIGHT.step);
  }

  /** Everything as it was stored. */
  reset() {
    if (this.place.scale !== 1) this.tell("zoom", { scale: 1 });
    this.#put({ scale: 1, x: 0, y: 0 });
    if (!this.isAdjusted) return;
    this.light = { brightness: 100, contrast: 100 };
    this.#shine();
    this.tell("adjusted", { ...this.light });
  }

  #put(place) {
    const stage = { width: this.stage.clientWidth, height: this.stage.clientHeight };
    this.place = keptInside(place, stage);
    const { scale, x, y } = this.place;
    // No transform at all where nothing is enlarged: the next image must be painted as plainly as can be.
    this.frame.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    this.frame.style.setProperty("--wb-scale", scale);
    this.onChange(this);
  }

  #shine() {
    const { brightness, contrast } = this.light;
    this.picture.style.filter = this.isAdjusted ? `brightness(${brightness}%) contrast(${contrast}%)` : "";
    this.onChange(this);
  }
}
