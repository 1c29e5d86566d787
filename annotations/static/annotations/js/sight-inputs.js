/** Wheel, fingers, keys and the panel to how the image is looked at. */

const WHEEL_PER_PX = 0.002;
const KEY_FACTOR = 1.25;
const KEY_PAN_PX = 80;

export class SightInputs {
  constructor({ root, sight }) {
    Object.assign(this, { root, sight });
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.pointers = new Map();
    this.actions = {
      "zoom-in": () => sight.zoom(KEY_FACTOR),
      "zoom-out": () => sight.zoom(1 / KEY_FACTOR),
      "sight-reset": () => sight.reset(),
      sight: () => this.togglePanel(),
    };
    this.keys = {
      "+": () => sight.zoom(KEY_FACTOR), "=": () => sight.zoom(KEY_FACTOR),
      "-": () => sight.zoom(1 / KEY_FACTOR), "_": () => sight.zoom(1 / KEY_FACTOR),
      0: () => sight.reset(), Home: () => sight.reset(),
      "[": () => sight.step("brightness", -1), "]": () => sight.step("brightness", 1),
      "{": () => sight.step("contrast", -1), "}": () => sight.step("contrast", 1),
    };
    this.pans = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  }

  listen() {
    const stage = this.part("stage");
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.pointerDown(event));
    stage.addEventListener("pointermove", (event) => this.pointerMove(event));
    for (const kind of ["pointerup", "pointercancel"]) {
      stage.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
    }
    for (const slider of this.root.querySelectorAll("[data-light]")) {
      slider.addEventListener("input", () => this.sight.adjust(slider.dataset.light, Number(slider.value)));
      // Let go with the mouse, the slider gives the keyboard back to the answers.
      slider.addEventListener("pointerup", () => slider.blur());
    }
  }

  /** Do what the key means for the sight, if anything; return whether it meant something. */
  key(event) {
    const pan = event.shiftKey ? this.pans[event.key] : undefined;
    if (pan) this.sight.pan(pan[0] * KEY_PAN_PX, pan[1] * KEY_PAN_PX);
    const act = pan ? null : this.keys[event.key];
    act?.();
    return Boolean(pan || act);
  }

  get isSeen() {
    return this.part("message").hidden;
  }

  wheel(event) {
    if (!this.isSeen) return;
    event.preventDefault();
    const px = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    // A pinch on a touchpad comes as a wheel with Ctrl, in far smaller steps.
    this.sight.zoom(Math.exp(-px * WHEEL_PER_PX * (event.ctrlKey ? 5 : 1)), this.#point(event));
  }

  /** `adopted`: the first finger of two, which was taken for something else until the second came. */
  pointerDown(event, adopted = false) {
    if (!this.isSeen || (event.defaultPrevented && !adopted) || event.target.closest("button, a, input")) return;
    this.pointers.set(event.pointerId, this.#point(event));
    this.part("stage").setPointerCapture(event.pointerId);
  }

  pointerMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#point(event);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (!other) {
      this.sight.pan(now.x - before.x, now.y - before.y);
      return;
    }
    const apart = Math.hypot(before.x - other.x, before.y - other.y);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    if (apart > 0) this.sight.zoom(Math.hypot(now.x - other.x, now.y - other.y) / apart, middle);
    this.sight.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  togglePanel() {
    const panel = this.part("sight-panel");
    panel.hidden = !panel.hidden;
    this.root.querySelector('[data-action="sight"]').setAttribute("aria-expanded", String(!panel.hidden));
  }

  /** Show on the panel how it stands. */
  draw({ place, light }) {
    const percent = `${Math.round(place.scale * 100)} %`;
    if (this.part("sight-scale").textContent !== percent) this.part("sight-scale").textContent = percent;
    for (const slider of this.root.querySelectorAll("[data-light]")) slider.value = light[slider.dataset.light];
    this.root.classList.toggle("is-enlarged", place.scale > 1);
    this.root.classList.toggle("is-adjusted", light.brightness !== 100 || light.contrast !== 100);
  }

  #point(event) {
    const stage = this.part("stage").getBoundingClientRect();
    return { x: event.clientX - stage.left, y: event.clientY - stage.top };
  }
}
