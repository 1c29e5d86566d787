/**
 * Drawing as a trial of the workbench: opens the board and the surface for the image that is shown, takes keys and
 * classes, and submits what was drawn. The whole of it works by keyboard alone, and says what it does.
 */

import { characters } from "../keys.js";
import { Board } from "./board.js";
import { inWords } from "./geometry.js";

const STEP = 0.005;
const STRIDE = 0.02; // while the key is held
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Drawing {
  /** @param {object} parts classes, clock, surface, view, storage (of this tab), seen(): the visible part of the image */
  constructor({ classes, clock, surface, view, storage, seen }) {
    Object.assign(this, { classes, clock, surface, view, storage, seen });
    this.workbench = null;
    this.isSearched = classes.some((each) => !each.key);
    this.codes = new Map(classes.filter((each) => each.key).map((each) => [each.key.toLowerCase(), each.code]));
    this.board = null;
    surface.onDraw = (shape, begin, end, by) => this.#drawn(shape, begin, end, by);
    surface.onReshape = (number, shape, from, t) => this.board?.reshape(number, shape, from, t);
    surface.onSelect = (number) => this.board?.select(number);
    surface.onSettled = () => this.board && this.surface.draw(this.board, (code) => this.#name(code));
  }

  get isOpen() {
    return this.board !== null;
  }

  /** Begin with the image of this entry, or go on where it was left. */
  open(entry, answer = null) {
    this.entry = entry;
    const boxes = answer?.boxes ?? entry.boxes ?? this.#draft(entry) ?? [];
    const only = this.classes.length === 1 ? this.classes[0].code : null;
    const correcting = answer !== null;
    this.board = new Board({
      boxes,
      onlyClass: only,
      record: (kind, t, detail) => !correcting && entry.recorder.record(kind, t, detail),
      onChange: (what) => this.#changed(what),
    });
    this.board.made = Math.max(this.board.made, entry.made ?? 0);
    this.surface.open(entry.image);
    this.#show();
  }

  /** The image is taken away; what was drawn stays with its entry. */
  close() {
    if (!this.board) return;
    this.board.settle();
    this.entry.boxes = this.board.boxes;
    this.entry.made = this.board.made;
    this.surface.close();
    this.board = null;
    this.view.drawing(null);
  }

  /** Do what the key means in drawing, if anything; return whether it meant something. */
  key(event, press) {
    if (!this.board) return false;
    const t = this.clock.stamp(event);
    const { board } = this;
    const arrow = ARROWS[event.key];
    if (arrow && board.current) {
      const by = press === "repeat" ? STRIDE : STEP;
      return board.nudge(event.shiftKey ? "resize" : "move", arrow[0] * by, arrow[1] * by, t);
    }
    const onControl = event.target?.closest?.("button, a, summary");
    const code = characters(event).map((each) => this.codes.get(each)).find((each) => each !== undefined);
    if (press === "repeat") return code !== undefined || event.key === "Enter" || event.key === " ";
    if (code !== undefined) return this.classify(code, t, "key");
    if (event.key === " " && !onControl) return this.make(t);
    if (event.key === "Enter" && !onControl) return this.submit(t, "key");
    // Where classes are searched for, the full stop opens the search; the comma alone then goes through the boxes.
    if ((event.key === "." && !this.isSearched) || event.key === ",") return this.#step(event.key === "." ? 1 : -1);
    if (event.key === "Delete" || (event.key === "Backspace" && board.current)) return board.remove(t) || true;
    if (event.key === "Escape" && board.current) return this.#letGo();
    return false;
  }

  /** Give the selected box a class. Where nothing is selected, the last box without one is meant. */
  classify(code, t, by) {
    if (!this.board.current && this.board.unclassed) this.board.select(this.board.unclassed.number);
    if (this.board.classify(code, t, by)) this.view.answered(code, false);
    else this.view.say("Draw or select a box first, then give it a class.");
    return true;
  }

  make(t) {
    if (this.board.make(t, this.seen()) === null) this.#full();
    return true;
  }

  remove(t) {
    return this.board?.remove(t);
  }

  /** Take back the last change of a box. */
  undo(t) {
    return this.board?.undo(t) ?? false;
  }

  #step(direction) {
    this.board.step(direction);
    return true;
  }

  #letGo() {
    this.board.select(null);
    return true;
  }

  #drawn(shape, begin, end, by) {
    if (!this.board) return null;
    if (this.board.isFull) this.#full();
    return this.board.draw(shape, begin, end, by);
  }

  #full() {
    this.view.hint("That is as many boxes as one image can have.");
  }

  /** Hand in the boxes, none of them included: then nothing is there. */
  submit(t, by, until = []) {
    const { board } = this;
    if (!board) return false;
    board.settle();
    const open = board.unclassed;
    if (open) {
      board.select(open.number);
      this.view.hint("This box has no class yet.");
      return true;
    }
    const { lease } = this.entry;
    if (this.workbench.answerWithBoxes(board.boxes, t, by, until)) this.#forget(lease.trial);
    return true;
  }

  #changed(what) {
    this.#keepDraft();
    this.#show();
    this.view.say(this.#words(what));
  }

  #words(what) {
    const { board } = this;
    const box = board.current;
    const count = `${board.boxes.length} ${board.boxes.length === 1 ? "box" : "boxes"}`;
    if (box && (what === "made" || what === "drawn")) return `New box: ${inWords(box)}. ${box.label === null ? "Now its class." : ""}`;
    if (box && what === "edited") return inWords(box);
    if (box) return `${box.label === null ? "No class yet" : this.#name(box.label)}: ${inWords(box)}`;
    return { classed: `${this.#name(board.latestLabel)}. ${count}.`, deleted: `Box deleted. ${count}.` }[what] ?? `${count}.`;
  }

  #name(code) {
    return this.classes.find((each) => each.code === code)?.name ?? "";
  }

  #show() {
    this.surface.draw(this.board, (code) => this.#name(code));
    this.view.drawing({ boxes: this.board.boxes.length, selected: this.board.current });
  }

  // ---- What was drawn before the page was loaded again

  #keepDraft() {
    try {
      this.storage.setItem(`hardness-drawing-${this.entry.lease.trial}`, JSON.stringify(this.board.boxes));
    } catch {
      // A full or forbidden storage: then a reload begins the image anew.
    }
  }

  #draft(entry) {
    try {
      return JSON.parse(this.storage.getItem(`hardness-drawing-${entry.lease.trial}`));
    } catch {
      return null;
    }
  }

  #forget(trial) {
    this.storage.removeItem(`hardness-drawing-${trial}`);
  }
}
