/**
 * The course of labelling: one image after the other, each answered, skipped, or left for a while; the last ones can be
 * gone back to. Knows nothing of the page's elements: `view` draws, the other parts measure, fetch and deliver.
 */

const RELEASE_LIMIT_MS = 400;
const UNDO_AT_MOST = 20;
const AT_MOST_AT_ONCE = 20;
const ASK_AGAIN_MS = [1000, 2000, 5000, 10_000, 15_000];

export class Workbench {
  constructor({
    config, sitting, clock, frames, prefetch, presentation, attention, memory, outbox, server, view, makeKey, makeProtocol, sight = null,
  }) {
    Object.assign(this, { config, sitting, clock, frames, prefetch, presentation, attention, memory, server, view, makeKey, sight });
    this.protocol = makeProtocol((t) => this.outOfTime(t));
    this.outbox = outbox;
    this.current = null; // {entry, mode: waiting | shown | open | correcting, openAt, answer}
    this.history = []; // answers that can be gone back to: {entry, code (null: skipped)}
    this.redo = [];
    this.finished = false;
    this.paused = false;
    this.asking = null;
    this.failures = 0;
    this.summary = { answered: 0, skipped: 0, corrected: 0, activeMs: 0, breaks: 0, inARow: 0 };
  }

  async start() {
    await this.outbox.open();
    // What an earlier page left goes first: the server must not hand out again what has been answered.
    await this.outbox.deliver();
    await this.ask();
  }

  // ---- Getting items

  holding() {
    const shown = this.current ? [this.current.entry.lease.trial] : [];
    return [...new Set([...shown, ...this.prefetch.trials, ...this.outbox.trials])];
  }

  want() {
    const ahead = this.config.lookahead + (this.current ? 0 : 1);
    return Math.min(AT_MOST_AT_ONCE, Math.max(0, ahead - this.prefetch.size));
  }

  /** Ask for items without an answer to send: at the start, and when somebody looks again. */
  ask() {
    this.asking ??= this.#askUntilAnswered().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  async #askUntilAnswered() {
    for (;;) {
      try {
        const reply = await this.server.post("next", { session: this.sitting, holding: this.holding(), want: this.want() });
        this.failures = 0;
        this.asking = null;
        return this.take(reply);
      } catch (error) {
        this.view.unreachable(error);
        const pause = ASK_AGAIN_MS[Math.min(this.failures, ASK_AGAIN_MS.length - 1)];
        this.failures += 1;
        await new Promise((done) => setTimeout(done, pause));
      }
    }
  }

  /** Take in what a reply brings. */
  take(reply) {
    this.prefetch.add(reply.next);
    this.finished = reply.finished;
    this.view.progress(reply.progress, this.outbox.entries.length);
    if (!this.current && !this.paused) this.advance();
  }

  /** Send one entry of the outbox; with it goes what is held now, so that the reply brings what is missing now. */
  deliver(entry) {
    // Of an earlier page only the answer is sent: what is handed out belongs to the sitting of this one.
    const ours = entry.body.session === this.sitting.key;
    const now = ours ? { holding: this.holding(), want: entry.action === "correct" ? 0 : this.want() } : {};
    return this.server.post(`${entry.trial}/${entry.action}`, { ...entry.body, ...now });
  }

  delivered(reply, entry) {
    const ours = entry.body.session === this.sitting.key;
    if (ours && entry.action !== "correct") this.take(reply);
    else this.view.progress(reply.progress, this.outbox.entries.length);
  }

  // ---- Showing them

  /** Show the next item, in this very task where its image is decoded already. */
  advance() {
    while (this.redo.length > 0) this.#remember(this.redo.pop());
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
    this.memory.noteShown(entry.lease.trial);
    this.frames.watch();
    this.view.item(entry, null);
    visible.then((t) => {
      if (current !== this.current) return;
      current.mode = "open";
      current.openAt = t;
      this.view.open();
    });
  }

  #nothingToShow() {
    this.current = null;
    this.attention.follow(null);
    this.presentation.clear();
    // The replies to answers on their way may bring more.
    if (this.outbox.entries.length > 0) this.view.fetching();
    else if (this.finished) this.view.done(this.summary);
    else {
      this.view.fetching();
      this.ask();
    }
  }

  /** The outbox has become empty. */
  emptied() {
    if (!this.current && !this.paused && this.finished && this.prefetch.size === 0) this.view.done(this.summary);
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
    if (this.current?.mode === "correcting") return this.#correct(code, t, by);
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
    this.#remember({ entry, code });
    this.view.answered(code);
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
    this.#remember({ entry: current.entry, code: null });
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
    const common = { client_key: this.makeKey(), session: this.sitting.key, events: [...recorder.events] };
    this.outbox.add({ trial: lease.trial, action, body: { ...common, ...body } }, settled);
  }

  #remember(answer) {
    this.history.push(answer);
    // Images of answers further back are let go.
    if (this.history.length > UNDO_AT_MOST) this.history.shift();
    this.view.canUndo(true);
  }

  // ---- Going back

  /** Go back to the last answer. What was on the screen is left, and comes again afterwards. */
  undo() {
    const last = this.paused ? undefined : this.history.pop();
    if (!last) return false;
    if (this.current?.mode === "correcting") this.redo.push(this.current.answer);
    else this.#leave();
    this.#goTo(last);
    return true;
  }

  /** Keep the answer that was gone back to, and go forward by one: to the next answer, or to where it was left. */
  keep() {
    if (this.current?.mode !== "correcting") return;
    this.#remember(this.current.answer);
    const next = this.redo.pop();
    if (next) return this.#goTo(next);
    this.current = null;
    this.advance();
  }

  #goTo(answer) {
    const { entry } = answer;
    this.current = { entry, mode: "correcting", answer };
    this.attention.follow(null);
    this.sight?.begin();
    // A flashed image is not to be seen a second time.
    if (entry.image && !this.protocol.flashFrames) this.presentation.stage.replaceChildren(entry.image);
    else this.presentation.clear();
    this.view.item(entry, answer);
    this.view.canUndo(this.history.length > 0);
  }

  #correct(code, t, by) {
    const { entry, answer } = this.current;
    if (answer.code !== code) {
      const events = [{ t: Math.round(t * 1000) / 1000, kind: "decision", by }];
      const body = { client_key: this.makeKey(), session: this.sitting.key, events, label: code };
      this.outbox.add({ trial: entry.lease.trial, action: "correct", body });
      this.summary.corrected += 1;
    }
    this.#remember({ entry, code });
    this.current = null;
    this.view.answered(code);
    this.advance();
    return true;
  }

  #leave() {
    if (!this.current) return;
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
    if (this.current.mode === "correcting") this.#remember(this.current.answer);
    else this.#leave();
    this.#rest(false);
  }

  #rest(due) {
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
    this.#leave();
    this.paused = true;
    this.stopped = true;
    this.attention.follow(null);
    this.presentation.clear();
    this.view.elsewhere();
  }
}
