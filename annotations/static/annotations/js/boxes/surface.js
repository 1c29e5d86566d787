/**
 * Where boxes are drawn with mouse, pen or finger: Annotorious over the image that is shown. It draws and reshapes; what
 * is kept, selected and named is the board's. Annotorious says what happened but not when: the times are those of the
 * pointer events themselves, taken before it sees them.
 */

const RECTANGLE = "RECTANGLE";
const TAP_PX = 4;

export class Surface {
  /**
   * @param {object} parts library: Annotorious; stage, clock; onDraw(shape, begin, end, by), onReshape(number, shape,
   *   from, t), onSelect(number or null), adopt(event): a finger that turned out to be half of a pinch
   */
  constructor({ library, stage, clock, onDraw, onReshape, onSelect, adopt, ResizeObserver }) {
    Object.assign(this, { library, stage, clock, onDraw, onReshape, onSelect, adopt });
    this.annotator = null;
    new ResizeObserver(() => this.fit()).observe(stage);
  }

  /** Lay the surface over an image on the stage. */
  open(image) {
    this.close();
    this.image = image;
    // What is selected is decided by the board, and by where a tap was and not how long it took.
    // No `style` option: Annotorious would write it into style attributes, which the content security policy forbids.
    this.annotator = this.library.createImageAnnotator(image, { drawingMode: "drag", userSelectAction: "NONE" });
    this.layer = this.annotator.element.querySelector("svg");
    this.layer.setAttribute("aria-label", "Drawing surface. Space makes a box by keyboard; ? lists all keys.");
    this.tags = image.ownerDocument.createElement("div");
    this.tags.className = "wb__tags";
    this.annotator.element.append(this.tags);
    this.boxes = [];
    this.numbers = new Map(); // Annotorious's id -> number of the box
    this.pointers = new Map();
    this.touched = null;
    this.pending = null;
    this.quiet = false;
    this.#listen();
    this.fit();
  }

  /** Take the surface away; the image stays where it is. */
  close() {
    this.handles?.disconnect();
    this.annotator?.destroy();
    this.tags?.remove();
    this.annotator = this.tags = this.image = null;
  }

  /** Make the surface as large as the image is shown: Annotorious takes shares of it for places in the image. */
  fit() {
    if (!this.annotator) return;
    const { clientWidth, clientHeight } = this.stage;
    const { naturalWidth, naturalHeight } = this.image;
    const scale = Math.min(clientWidth / naturalWidth, clientHeight / naturalHeight);
    const place = this.annotator.element.style;
    place.position = "absolute";
    place.left = `${(clientWidth - naturalWidth * scale) / 2}px`;
    place.top = `${(clientHeight - naturalHeight * scale) / 2}px`;
    place.width = `${naturalWidth * scale}px`;
    place.height = `${naturalHeight * scale}px`;
  }

  /** The part of the image that is on the screen, as shares of it. */
  seen({ scale, x, y }) {
    const { clientWidth, clientHeight } = this.stage;
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = this.annotator.element;
    const left = Math.max(0, (-x / scale - offsetLeft) / offsetWidth);
    const top = Math.max(0, (-y / scale - offsetTop) / offsetHeight);
    const right = Math.min(1, ((clientWidth - x) / scale - offsetLeft) / offsetWidth);
    const bottom = Math.min(1, ((clientHeight - y) / scale - offsetTop) / offsetHeight);
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  #listen() {
    const { element, state } = this.annotator;
    element.addEventListener("pointerdown", (event) => this.#down(event), { capture: true });
    element.addEventListener("pointerup", (event) => this.#up(event), { capture: true });
    element.addEventListener("pointerup", (event) => this.#released(event));
    element.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    // Handles are buttons without names to Annotorious; by keyboard boxes are moved with the arrow keys.
    this.handles = new MutationObserver(() => {
      for (const handle of this.layer.querySelectorAll("[role=button]")) {
        handle.removeAttribute("role");
        handle.removeAttribute("tabindex");
      }
    });
    this.handles.observe(this.layer, { childList: true, subtree: true });
    state.store.observe((event) => this.#stored(event.changes));
  }

  #down(event) {
    // The picture is enlarged and moved by other means; here a drag draws.
    event.preventDefault();
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size > 1) {
      this.annotator.cancelDrawing();
      for (const each of this.pointers.values()) this.adopt(each);
      this.begin = null;
      event.stopPropagation();
      return;
    }
    this.begin = this.clock.stamp(event);
    this.by = event.pointerType || "mouse";
    this.touched = null;
    // A drag from beside the selected box begins a new one; Annotorious would only let go of the old one.
    this.at = { x: event.clientX, y: event.clientY };
    const onSelected = event.target.closest(".a9s-annotation.selected");
    if (!onSelected) {
      this.layer.setPointerCapture(event.pointerId);
      this.annotator.state.selection.clear();
    }
  }

  #up(event) {
    this.pointers.delete(event.pointerId);
    this.end = this.clock.stamp(event);
  }

  #stored({ created = [], updated = [] }) {
    if (this.quiet) return;
    for (const annotation of created) {
      if (this.begin === null) continue;
      const shape = this.#shares(annotation);
      // Not within its own notice of the new box.
      queueMicrotask(() => {
        this.pending = annotation.id;
        this.onDraw(shape, this.begin, this.end, this.by);
        this.pending = null;
        this.onSettled?.();
      });
    }
    for (const { newValue } of updated) this.touched = newValue;
  }

  /** A reshaped box is told when it is let go of; a tap selects. */
  #released(event) {
    const { touched } = this;
    this.touched = null;
    if (this.begin === null) return;
    const number = touched && this.numbers.get(touched.id);
    const shape = number && this.#shares(touched);
    const isTap = Math.hypot(event.clientX - this.at.x, event.clientY - this.at.y) < TAP_PX;
    if (!shape && !isTap) return;
    queueMicrotask(() => {
      if (shape) this.onReshape(number, shape, this.begin, this.end);
      else this.onSelect(this.#boxAt(event));
      this.onSettled?.();
    });
  }

  /** The number of the smallest box at the event's place, or null. */
  #boxAt(event) {
    const layer = this.layer.getBoundingClientRect();
    const x = (event.clientX - layer.left) / layer.width;
    const y = (event.clientY - layer.top) / layer.height;
    const inside = this.boxes.filter((box) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height);
    return inside.sort((a, b) => a.width * a.height - b.width * b.height)[0]?.number ?? null;
  }

  /** Show the board's boxes, and let the selected one be reshaped. */
  draw(board, nameOf) {
    if (!this.annotator) return;
    this.quiet = true;
    const known = new Set(this.numbers.values());
    const fresh = board.boxes.find((box) => !known.has(box.number));
    // What was just drawn here is the box that is new on the board.
    if (this.pending && fresh) this.numbers.set(this.pending, fresh.number);
    this.pending = null;
    const wanted = new Map(board.boxes.map((box) => [box.number, box]));
    const there = new Map([...this.numbers].map(([id, number]) => [number, id]));
    for (const annotation of this.annotator.getAnnotations()) {
      if (!wanted.has(this.numbers.get(annotation.id))) {
        this.annotator.removeAnnotation(annotation.id);
        this.numbers.delete(annotation.id);
      }
    }
    for (const box of board.boxes) {
      const id = there.get(box.number) ?? `box-${box.number}`;
      const annotation = this.#annotation(id, box);
      const before = this.annotator.getAnnotationById(id);
      this.numbers.set(id, box.number);
      if (!before) this.annotator.addAnnotation(annotation);
      else if (!this.#isAt(before, annotation)) this.annotator.updateAnnotation(annotation);
    }
    const chosen = [...this.numbers].find(([, number]) => number === board.selected)?.[0];
    const { selection } = this.annotator.state;
    const now = selection.selected[0];
    if (!chosen) selection.clear();
    else if (now?.id !== chosen || !now.editable) selection.setSelected(chosen, true);
    this.boxes = board.boxes;
    this.#tag(board, nameOf);
    this.quiet = false;
  }

  #tag(board, nameOf) {
    this.tags.replaceChildren(
      ...board.boxes.map((box) => {
        const tag = this.tags.ownerDocument.createElement("span");
        tag.className = "wb__tag";
        tag.dataset.number = box.number;
        tag.classList.toggle("is-selected", box.number === board.selected);
        tag.classList.toggle("is-unnamed", box.label === null);
        tag.textContent = box.label === null ? "?" : nameOf(box.label);
        tag.style.left = `${box.x * 100}%`;
        tag.style.top = `${box.y * 100}%`;
        return tag;
      }),
    );
  }

  #shares(annotation) {
    const { x, y, w, h } = annotation.target.selector.geometry;
    const { naturalWidth, naturalHeight } = this.image;
    return { x: x / naturalWidth, y: y / naturalHeight, width: w / naturalWidth, height: h / naturalHeight };
  }

  #annotation(id, box) {
    const x = box.x * this.image.naturalWidth;
    const y = box.y * this.image.naturalHeight;
    const w = box.width * this.image.naturalWidth;
    const h = box.height * this.image.naturalHeight;
    const bounds = { minX: x, minY: y, maxX: x + w, maxY: y + h };
    return { id, bodies: [], target: { annotation: id, selector: { type: RECTANGLE, geometry: { x, y, w, h, rot: 0, bounds } } } };
  }

  #isAt(before, after) {
    const a = before.target.selector.geometry;
    const b = after.target.selector.geometry;
    return ["x", "y", "w", "h"].every((side) => Math.abs(a[side] - b[side]) < 1e-3);
  }
}
