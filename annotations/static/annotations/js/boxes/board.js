/**
 * The boxes of one image: which there are, which is selected, and what was done to them when. Knows no elements and no
 * Annotorious. Every act is told to `record(kind, t, detail)` with the time of the input itself; the server derives the
 * times of each box from these events.
 */

import { cutToImage, inTheMiddle, isSame, moved, resized } from "./geometry.js";

export const BOXES_AT_MOST = 100;
const MADE_AT_MOST = 300;
const EDITS_AT_MOST = 500;
/** Arrow keys pressed within this time are one edit. */
const ONE_EDIT_MS = 1000;

export class Board {
  /** @param {{record: Function, onChange: Function, boxes?: object[], onlyClass?: number|null}} parts */
  constructor({ record, onChange = () => {}, boxes = [], onlyClass = null }) {
    Object.assign(this, { record, onChange, onlyClass });
    this.boxes = boxes.map((box) => ({ ...box })); // {number, x, y, width, height, label: code or null}
    this.selected = null; // a box's number
    this.made = Math.max(0, ...boxes.map((box) => box.number));
    this.edits = 0;
    this.making = null; // by keys: {number, last}; its first shape is not settled yet
    this.editing = null; // by keys: {number, from, last, what}
    this.past = [];
  }

  get current() {
    return this.boxes.find((box) => box.number === this.selected) ?? null;
  }

  get unclassed() {
    return this.boxes.find((box) => box.label === null) ?? null;
  }

  get isFull() {
    return this.boxes.length >= BOXES_AT_MOST || this.made >= MADE_AT_MOST;
  }

  /** Take in a box drawn from `begin` to `end` (ms). Returns its number, or null where there can be no such box. */
  draw(shape, begin, end, by) {
    const box = cutToImage(shape);
    this.settle();
    if (!box || this.isFull) return null;
    const number = this.#add(box, begin, by);
    this.#ended(number, end);
    this.#changed("drawn");
    return number;
  }

  /** Put a new box into the middle of what is seen, to be moved and resized by keys. */
  make(t, seen) {
    this.settle();
    if (this.isFull) return null;
    const number = this.#add(inTheMiddle(seen), t, "key");
    this.making = { number, last: t };
    this.#changed("made");
    return number;
  }

  #add(box, begin, by) {
    this.#note();
    this.made += 1;
    this.boxes = [...this.boxes, { number: this.made, ...box, label: null }];
    this.selected = this.made;
    this.record("box_begin", begin, { box: this.made, by });
    return this.made;
  }

  #ended(number, t) {
    this.record("box_end", t, { box: number });
    // With one class there is nothing to decide.
    if (this.onlyClass !== null) this.#label(number, this.onlyClass, t, "only");
  }

  /** What was done by keys is over: a new shape is settled, and so is a run of arrow keys. */
  settle() {
    if (this.making) {
      const { number, last } = this.making;
      this.making = null;
      this.#ended(number, last);
    }
    if (this.editing) {
      const { number, from, last, what } = this.editing;
      this.editing = null;
      this.#edited(number, from, last, what);
    }
  }

  #edited(number, from, t, what) {
    this.edits += 1;
    if (this.edits <= EDITS_AT_MOST) this.record("box_edit", t, { box: number, from, what });
  }

  /** The selected box was given another shape with the pointer, from `from` to `t`. */
  reshape(number, shape, from, t) {
    const box = this.boxes.find((each) => each.number === number);
    const after = cutToImage(shape);
    if (!box || !after || isSame(box, after)) return false;
    this.settle();
    this.#note();
    const what = box.width === after.width && box.height === after.height ? "move" : "resize";
    this.#replace({ ...box, ...after });
    this.#edited(number, from, t, what);
    this.#changed("edited");
    return true;
  }

  /** Move or resize the selected box by keys. */
  nudge(what, dx, dy, t) {
    const box = this.current;
    if (!box) return false;
    const after = what === "move" ? moved(box, dx, dy) : resized(box, dx, dy);
    if (this.making?.number === box.number) this.making.last = t;
    else {
      const goesOn = this.editing?.number === box.number && this.editing.what === what && t - this.editing.last < ONE_EDIT_MS;
      if (!goesOn) {
        this.settle();
        this.#note();
        this.editing = { number: box.number, from: t, last: t, what };
      }
      this.editing.last = t;
    }
    this.#replace({ ...box, ...after });
    this.#changed("edited");
    return true;
  }

  /** Give the selected box a class; with that it is done, and the next one can be drawn. */
  classify(label, t, by) {
    const box = this.current;
    if (!box) return false;
    this.settle();
    this.#note();
    this.#label(box.number, label, t, by);
    this.latestLabel = label;
    this.selected = null;
    this.#changed("classed");
    return true;
  }

  #label(number, label, t, by) {
    this.#replace({ ...this.boxes.find((box) => box.number === number), label });
    this.record("box_class", t, { box: number, label, by });
  }

  remove(t) {
    const box = this.current;
    if (!box) return false;
    this.settle();
    this.#note();
    this.boxes = this.boxes.filter((each) => each !== this.current);
    this.selected = null;
    this.record("box_delete", t, { box: box.number });
    this.#changed("deleted");
    return true;
  }

  select(number) {
    if (number === this.selected) return;
    this.settle();
    this.selected = number;
    this.#changed("selected");
  }

  /** Select the next box (or the one before), in the order in which they were drawn. */
  step(direction) {
    if (this.boxes.length === 0) return;
    const at = this.boxes.findIndex((box) => box.number === this.selected);
    const from = at < 0 && direction < 0 ? 0 : at;
    this.select(this.boxes[(from + direction + this.boxes.length) % this.boxes.length].number);
  }

  /** Take the last change back; false where there is none. */
  undo(t) {
    this.settle();
    const before = this.past.pop();
    if (!before) return false;
    for (const box of this.boxes) {
      const was = before.find((each) => each.number === box.number);
      if (!was) this.record("box_delete", t, { box: box.number });
      else if (was !== box) this.#edited(box.number, t, t, "undo");
    }
    this.boxes = before;
    this.selected = null;
    this.#changed("undone");
    return true;
  }

  #note() {
    this.past.push(this.boxes);
    if (this.past.length > BOXES_AT_MOST) this.past.shift();
  }

  #replace(box) {
    this.boxes = this.boxes.map((each) => (each.number === box.number ? box : each));
  }

  #changed(what) {
    this.onChange(what, this);
  }
}
