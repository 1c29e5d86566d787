/** Keys, clicks and touches to what they mean. An input's time is its own stamp, not the time of this code. */

import { KeyGate, characters, isForeign } from "./keys.js";

const byOf = (event, pointerType) => (event.detail === 0 ? "key" : pointerType === "touch" ? "touch" : "click");

export class Inputs {
  constructor({ root, workbench, clock, classes, sightInputs, picker = null }) {
    Object.assign(this, { root, workbench, clock, sightInputs, picker });
    this.codes = new Map(classes.filter((each) => each.key).map((each) => [each.key.toLowerCase(), each.code]));
    this.gate = new KeyGate();
    this.releases = new Map(); // physical key -> recorder of the trial it was pressed in
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.actions = {
      undo: () => this.workbench.undo(),
      skip: () => this.askWhySkip(),
      "skip-broken": () => this.workbench.skip("poor_image"),
      keep: () => this.workbench.keep(),
      guidelines: () => this.toggleGuidelines(),
      shortcuts: () => this.openDialog("shortcuts"),
      pause: () => this.workbench.pause(),
      resume: () => this.workbench.resume(),
      retry: () => this.workbench.retry(),
      again: () => this.workbench.supply.ask(),
      here: () => { location.hash = "here"; location.reload(); },
      "close-dialog": () => this.root.querySelector("dialog[open]")?.close(),
      remark: () => this.askRemark(),
      "object-focus": () => this.workbench.focus?.toggle(),
      "box-new": (event) => this.workbench.drawing?.make(this.clock.stamp(event)),
      "box-delete": (event) => this.workbench.drawing?.remove(this.clock.stamp(event)),
      "boxes-done": (event) => this.workbench.drawing?.submit(this.clock.stamp(event), byOf(event, this.pointerType)),
      classes: () => this.search(this.clock.now()),
      ...sightInputs.actions,
      "dismiss-refused": () => { this.part("refused").hidden = true; },
    };
    this.keys = {
      ArrowLeft: "undo", Backspace: "undo", ArrowRight: "skip", "?": "shortcuts", "/": "guidelines", Escape: "pause",
      ";": "remark", "*": "object-focus",
    };
  }

  listen() {
    addEventListener("keydown", (event) => this.keyDown(event));
    // Annotorious would take Ctrl Z for itself: what is taken back is decided here.
    addEventListener("keydown", (event) => this.undoKeyWhileDrawing(event), { capture: true });
    addEventListener("keyup", (event) => this.keyUp(event));
    addEventListener("blur", () => this.gate.forget());
    const answers = this.part("answers");
    answers.addEventListener("pointerdown", (event) => this.pointer("pointer_down", event));
    answers.addEventListener("pointerup", (event) => this.pointer("pointer_up", event));
    answers.addEventListener("click", (event) => this.click(event));
    document.addEventListener("click", (event) => {
      const action = event.target.closest?.("[data-action]")?.dataset.action;
      if (event.detail <= 1) this.actions[action]?.(event);
    });
    this.part("remark-form").addEventListener("submit", (event) => this.keepRemark(event));
    for (const dialog of this.root.querySelectorAll("dialog")) {
      dialog.addEventListener("close", () => this.aside?.record("focus"));
    }
    this.part("skip-form").addEventListener("submit", (event) => this.chooseSkip(event));
    this.part("skip-form").addEventListener("keydown", (event) => {
      // Enter in the remark would choose the first reason.
      if (event.key !== "Enter" || !event.target.matches("input")) return;
      event.preventDefault();
      this.root.querySelector("dialog[open] [data-key]").focus();
    });
  }

  get dialogIsOpen() {
    return Boolean(this.root.querySelector("dialog[open]"));
  }

  keyDown(event) {
    const press = this.gate.down(event);
    if (this.undoneByKey(event)) return;
    if (isForeign(event)) return;
    if (this.dialogIsOpen) {
      this.keyInDialog(event, press);
      return;
    }
    if (this.workbench.drawing?.key(event, press)) {
      event.preventDefault();
      return;
    }
    const character = characters(event).find((each) => this.codes.has(each));
    const action = this.keys[event.key];
    if (press === "repeat") {
      // Held Enter on a button would click it again and again.
      event.preventDefault();
      if (character !== undefined) this.workbench.recorder?.record("repeat", this.clock.stamp(event));
      return;
    }
    if (character !== undefined) {
      event.preventDefault();
      this.answerByKey(this.codes.get(character), event);
    } else if (this.sightInputs.key(event)) {
      event.preventDefault();
    } else if (this.picker?.isOpenedBy(event)) {
      event.preventDefault();
      this.search(this.clock.stamp(event), event.key);
    } else if (action) {
      event.preventDefault();
      if (action === "skip" && this.root.dataset.state === "correcting") this.workbench.keep();
      else if (action === "pause" && this.workbench.paused) this.workbench.resume();
      else this.actions[action]();
    }
  }

  answerByKey(code, event) {
    const t = this.clock.stamp(event);
    const { recorder } = this.workbench;
    recorder?.record("key_down", t, { key: event.key.slice(0, 10) });
    if (recorder) this.releases.set(event.code || event.key, recorder);
    this.workbench.answer(code, t, "key", ["key_up"]);
  }

  keyUp(event) {
    this.gate.up(event);
    const name = event.code || event.key;
    this.releases.get(name)?.record("key_up", this.clock.stamp(event));
    this.releases.delete(name);
  }

  pointer(kind, event) {
    if (!event.target.closest("[data-code]")) return;
    const { recorder } = this.workbench;
    recorder?.record(kind, this.clock.stamp(event));
    if (kind === "pointer_down") this.pointerType = event.pointerType;
  }

  click(event) {
    const button = event.target.closest("[data-code]");
    if (!button) return;
    if (event.detail > 1) {
      this.workbench.recorder?.record("second_click", this.clock.stamp(event));
      return;
    }
    const by = byOf(event, this.pointerType);
    const { drawing } = this.workbench;
    if (drawing?.isOpen) drawing.classify(Number(button.dataset.code), this.clock.stamp(event), by);
    else this.workbench.answer(Number(button.dataset.code), this.clock.stamp(event), by);
  }

  // ---- Dialogs and panels

  /** Let the class be searched for, from the time `t` on; `typed` is the key that began it. */
  search(t, typed = "") {
    const { mode } = this.workbench.current ?? {};
    if (mode !== "open" && mode !== "correcting") {
      this.workbench.recorder?.record("early_key", t);
      return;
    }
    // What was looked at is said by the decision; the keyboard is in a dialog, but it is one for answering.
    this.aside = null;
    this.workbench.recorder?.record("aside", t, { what: "classes" });
    this.picker.open(typed);
  }

  openDialog(name) {
    // While a dialog is open the keyboard is in it, and no answer can be given: that time is not one of deciding.
    this.aside = this.workbench.recorder;
    this.aside?.record("aside", this.clock.now(), { what: name });
    this.aside?.record("blur");
    this.part(name).showModal();
  }

  askWhySkip() {
    const { current } = this.workbench;
    if (!current || current.mode === "correcting") return;
    this.part("skip-form").reset();
    this.openDialog("skip-dialog");
  }

  askRemark() {
    const { current } = this.workbench;
    if (!current || current.mode === "correcting") return;
    this.part("remark-form").elements.comment.value = current.entry.comment ?? "";
    this.openDialog("remark-dialog");
  }

  keepRemark(event) {
    const text = String(new FormData(event.target).get("comment") ?? "").trim();
    this.workbench.remark(text.slice(0, 2000));
  }

  undoKeyWhileDrawing(event) {
    if (!this.workbench.drawing?.isOpen || !(event.ctrlKey || event.metaKey) || !"zy".includes(event.key.toLowerCase())) return;
    event.stopPropagation();
    this.keyDown(event);
  }

  /** Ctrl+Z, and Ctrl+Y or Ctrl+Shift+Z, as everywhere. */
  undoneByKey(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || (key !== "z" && key !== "y")) return false;
    if (event.target?.closest?.("input, textarea") || this.dialogIsOpen) return false;
    event.preventDefault();
    if (event.repeat) return true;
    if (key === "z" && !event.shiftKey && this.workbench.drawing?.undo(this.clock.stamp(event))) return true;
    if (key === "z" && !event.shiftKey) this.workbench.undo();
    else this.workbench.keep();
    return true;
  }

  chooseSkip(event) {
    const reason = event.submitter?.value;
    const comment = new FormData(event.target).get("comment") ?? "";
    if (reason) this.workbench.skip(reason, comment.slice(0, 2000));
  }

  keyInDialog(event, press) {
    if (press === "repeat") return;
    const option = this.root.querySelector(`dialog[open] [data-key="${CSS.escape(event.key)}"]`);
    if (option) {
      event.preventDefault();
      option.click();
    }
  }

  toggleGuidelines() {
    const panel = this.part("guidelines");
    panel.hidden = !panel.hidden;
    this.root.classList.toggle("has-guidelines", !panel.hidden);
    this.root.querySelector('[data-action="guidelines"]')?.setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden) this.workbench.recorder?.record("aside", this.clock.now(), { what: "guidelines" });
  }
}
