/**
 * Going back to the last answers: undo, correct or keep, and forward again to where it was left. What is on the screen
 * meanwhile is the workbench's `current`, in mode `correcting`. An answer is {entry, code}; the code of a skip is null.
 */

const UNDO_AT_MOST = 20;

export class GoingBack {
  constructor(workbench) {
    this.workbench = workbench;
    this.history = []; // what can be gone back to, the last one last
    this.redo = []; // what was gone back from
  }

  /** Note an answer, so that it can be gone back to. */
  remember(answer) {
    this.history.push(answer);
    // Images of answers further back are let go.
    if (this.history.length > UNDO_AT_MOST) this.history.shift();
    this.workbench.view.canUndo(true);
  }

  /** Go back to the last answer. What was on the screen is left, and comes again afterwards. */
  undo() {
    const { workbench } = this;
    const last = workbench.paused ? undefined : this.history.pop();
    if (!last) return false;
    if (workbench.current?.mode === "correcting") this.redo.push(workbench.current.answer);
    else workbench.leave();
    this.#goTo(last);
    return true;
  }

  /** Keep the answer that was gone back to, and go forward by one: to the next answer, or to where it was left. */
  keep() {
    const { workbench } = this;
    if (workbench.current?.mode !== "correcting") return;
    this.remember(workbench.current.answer);
    const next = this.redo.pop();
    if (next) {
      this.#goTo(next);
      return;
    }
    workbench.current = null;
    workbench.advance();
  }

  /** Give the answer that was gone back to another label, and go on where it was left. */
  correct(code, t, by) {
    const { workbench } = this;
    const { entry, answer } = workbench.current;
    if (answer.code !== code) {
      const events = [{ t: Math.round(t * 1000) / 1000, kind: "decision", by }];
      workbench.send(entry.lease.trial, "correct", { events, label: code });
      workbench.summary.corrected += 1;
    }
    this.remember({ entry, code });
    workbench.current = null;
    workbench.view.answered(code);
    workbench.advance();
    return true;
  }

  /** Put other boxes in the place of those that were gone back to. */
  correctBoxes(boxes, t, by) {
    const { workbench } = this;
    const { entry, answer } = workbench.current;
    if (JSON.stringify(answer.boxes ?? null) !== JSON.stringify(boxes)) {
      const events = [{ t: Math.round(t * 1000) / 1000, kind: "decision", by }];
      workbench.send(entry.lease.trial, "correct_boxes", { events, boxes });
      workbench.summary.corrected += 1;
    }
    this.remember({ entry, boxes });
    workbench.current = null;
    workbench.view.drawn(boxes.length);
    workbench.advance();
    return true;
  }

  /** Go forward over all that was gone back from: its answers stand. */
  forward() {
    while (this.redo.length > 0) this.remember(this.redo.pop());
  }

  #goTo(answer) {
    const { workbench } = this;
    const { entry } = answer;
    workbench.drawing?.close();
    workbench.current = { entry, mode: "correcting", answer };
    workbench.attention.follow(null);
    workbench.sight?.begin();
    // A flashed image is not to be seen a second time.
    if (entry.image && !workbench.protocol.flashFrames) workbench.presentation.stage.replaceChildren(entry.image);
    else workbench.presentation.clear();
    workbench.view.item(entry, answer);
    workbench.focus?.show(entry);
    if (entry.lease.draw && entry.image) workbench.drawing.open(entry, answer);
    workbench.view.canUndo(this.history.length > 0);
  }
}
