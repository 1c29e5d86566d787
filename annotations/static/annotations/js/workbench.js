/**
 * The course of labelling: one image after the other, each answered, skipped, or left for a while; the last ones can be
 * gone back to. Knows nothing of the page's elements: `view` draws, the other parts measure, fetch and deliver.
 */

import { GoingBack } from "./going-back.js";
import { Supply } from "./supply.js";

const RELEASE_LIMIT_MS = 400;

export class Workbench {
  constructor({
    config, sitting, clock, frames, prefetch, presentation, attention, memory, outbox, server, view, makeKey, makeProtocol, sight = null,
    drawing = null, focus = null, setTimer = (work, ms) => setTimeout(work, ms), afterFrame = (work) => work(),
  }) {
    Object.assign(this, {
      config, sitting, clock, frames, prefetch, presentation, attention, memory, server, view, makeKey, sight, drawing, focus, setTimer,
      afterFrame,
    });
    this.protocol = makeProtocol((t) => this.outOfTime(t));
    this.outbox = outbox;
    this.current = null; // {entry, mode: waiting | shown | open | correcting, openAt, answer}
    this.past = new GoingBack(this);
    this.supply = new Supply(this);
    this.paused = false;
    this.summary = { answered: 0, skipped: 0, corrected: 0, activeMs: 0, breaks: 0, inARow: 0 };
  }

  async start() {
    await this.outbox.open();
    // What an earlier page left goes first: the server must not hand out again what has been answered.
    await this.outbox.deliver();
    await this.supply.ask();
  }

  // ---- Showing them

  /** Show the next item, in this very task where its image is decoded already. */
  advance() {
    this.drawing?.close();
    this.focus?.show(null);
    this.past.forward();
    if (this.protocol.breakIsDue && this.prefetch.size > 0) return this.#rest(true);
    const entry = this.prefetch.take();
    if (!entry) return this.#nothingToShow();
    this.current = { entry, mode: "waiting" };
    if (entry.image) return this.#show(this.current);
    this.presentation.clear();
    this.view.fetching();
    return this.#showWhenReady(this.current);
  }

  #showWhenReady(current) {
    current.entry.ready.then(
      () => current === this.current && this.#show(current),
      () => current === this.current && this.view.broken(),
    );
  }

  /** Try again to fetch an image that could not be fetched. */
  retry() {
    if (this.current?.mode !== "waiting") return;
    this.prefetch.retry(this.current.entry);
    this.view.fetching();
    this.#showWhenReady(this.current);
  }

  #show(current) {
    const { entry } = current;
    entry.visits += 1;
    current.mode = "shown";
    this.attention.follow(entry.recorder);
    this.sight?.begin((kind, detail) => entry.recorder.record(kind, this.clock.now(), detail));
    const { visible, onset } = this.presentation.show(entry.image, entry.recorder);
    this.protocol.begin(entry.recorder, onset);
    this.afterFrame(() => this.memory.noteShown(entry.lease.trial));
    this.frames.watch();
    this.view.item(entry, null);
    this.focus?.show(entry);
    visible.then((t) => {
      if (current !== this.current) return;
      current.mode = "open";
      current.openAt = t;
      this.attention.seen();
      this.view.open();
      if (entry.lease.draw) this.drawing.open(entry);
    });
  }

  #nothingToShow() {
    this.current = null;
    this.attention.follow(null);
    this.presentation.clear();
    // The replies to answers on their way may bring more.
    if (this.outbox.entries.length > 0) this.view.fetching();
    else if (this.supply.finished) this.#done();
    else {
      this.view.fetching();
      this.supply.ask();
    }
  }

  /** The outbox has become empty. */
  emptied() {
    if (!this.current && !this.paused && this.supply.finished && this.prefetch.size === 0) this.#done();
  }

  #done() {
    this.view.done(this.summary, this.supply.heldByOthers);
    this.supply.lookAgain();
  }

  // ---- Answering

  /** The trial whose image is on the screen or about to be, for events that belong to it. */
  get recorder() {
    return this.current?.mode === "correcting" ? null : (this.current?.entry.recorder ?? null);
  }

  /**
   * Give the answer `code` at time `t`. `by`: key, click or touch; `until`: the event that ends the press, if one will come.
   * Returns whether it was taken: what comes before the image can be seen is no answer to it.
   */
  answer(code, t, by, until = []) {
    if (this.current?.mode === "correcting") return this.past.correct(code, t, by);
    // Of a clock that went back no time is kept, and none may stand in the way of a label.
    if (this.current?.mode !== "open" || (t < this.current.openAt && !this.clock.wentBack)) {
      this.recorder?.record("early_key", t);
      return false;
    }
    if (this.protocol.isLate(t)) {
      this.outOfTime(t);
      return false;
    }
    const { entry } = this.current;
    entry.recorder.record("decision", t, { by });
    this.summary.answered += 1;
    this.#close(entry, "answer", { label: code, comment: entry.comment ?? "" }, t, until);
    this.past.remember({ entry, code });
    this.afterFrame(() => this.view.answered(code));
    this.advance();
    return true;
  }

  /** Hand in the boxes that were drawn, as `answer` hands in a class. */
  answerWithBoxes(boxes, t, by, until = []) {
    if (this.current?.mode === "correcting") return this.past.correctBoxes(boxes, t, by);
    if (this.current?.mode !== "open") return false;
    const { entry } = this.current;
    entry.recorder.record("decision", t, { by });
    this.summary.answered += 1;
    this.#close(entry, "boxes", { boxes, comment: entry.comment ?? "" }, t, until);
    this.past.remember({ entry, boxes });
    this.view.drawn(boxes.length);
    this.advance();
    return true;
  }

  /** Skip the item that is shown, or one whose image cannot be fetched. */
  skip(reason, comment = "") {
    const current = this.current;
    if (!current || current.mode === "correcting") return false;
    const t = this.clock.now();
    current.entry.recorder.record("skip", t, { reason });
    this.summary.skipped += 1;
    this.#close(current.entry, "skip", { reason, comment }, t, []);
    this.past.remember({ entry: current.entry, code: null });
    this.view.skipped();
    this.advance();
    return true;
  }

  /** The time limit has passed. There is no going back to such a trial. */
  outOfTime(t) {
    if (this.current?.mode !== "shown" && this.current?.mode !== "open") return;
    const { entry } = this.current;
    entry.recorder.record("out_of_time", t);
    this.summary.skipped += 1;
    this.#close(entry, "out_of_time", {}, t, []);
    this.view.outOfTime();
    this.advance();
  }

  /** Keep a remark for the item that is shown; it goes with its answer. */
  remark(text) {
    if (this.current && this.current.mode !== "correcting") this.current.entry.comment = text;
  }

  #close(entry, action, body, t, until) {
    const { recorder, lease } = entry;
    this.protocol.end();
    this.protocol.count();
    const frame = this.frames.median();
    if (frame !== null) recorder.record("frame", this.clock.now(), { ms: frame });
    this.summary.inARow += 1;
    if (this.current.openAt !== undefined) this.summary.activeMs += Math.max(0, t - this.current.openAt);
    this.attention.follow(null);
    this.current = null;
    const awaited = entry.visits > 0 ? ["onset", ...until] : [];
    const settled = recorder.settled(awaited, RELEASE_LIMIT_MS).then(() => [...recorder.events]);
    this.send(lease.trial, action, { events: [...recorder.events], ...body }, settled);
  }

  /** Put what was decided into the outbox, under a key of its own. */
  send(trial, action, body, settled = null) {
    const common = { client_key: this.makeKey(), session: this.sitting.key };
    this.outbox.add({ trial, action, body: { ...common, ...body } }, settled);
  }

  // ---- Going back

  undo() {
    return this.past.undo();
  }

  keep() {
    this.past.keep();
  }

  /** Leave the item that is shown: it comes again, and that is its second visit. */
  leave() {
    if (!this.current) return;
    this.drawing?.close();
    this.protocol.end();
    const { entry, mode } = this.current;
    // An image that was not on the screen yet has not been visited.
    if (mode !== "waiting") entry.recorder.record("left");
    this.prefetch.putBack(entry);
    this.current = null;
  }

  // ---- Breaks

  pause() {
    if (this.paused || !this.current) return;
    if (this.current.mode === "correcting") this.past.remember(this.current.answer);
    else this.leave();
    this.#rest(false);
  }

  #rest(due) {
    this.drawing?.close();
    this.current = null;
    this.paused = true;
    this.summary.breaks += 1;
    this.protocol.rested();
    this.attention.follow(null);
    this.presentation.clear();
    this.view.pause(this.summary, due);
  }

  resume() {
    if (!this.paused || this.stopped) return;
    this.paused = false;
    this.summary.inARow = 0;
    this.advance();
  }

  /** Another tab has taken over: nothing more is shown or answered here; what was answered is still delivered. */
  stop() {
    this.leave();
    this.paused = true;
    this.stopped = true;
    this.attention.follow(null);
    this.presentation.clear();
    this.view.elsewhere();
  }
}
