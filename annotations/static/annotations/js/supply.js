/** Where the workbench's items come from: asked for, or brought by the reply to an answer, so that a few are always ahead. */

const AT_MOST_AT_ONCE = 20;
const ASK_AGAIN_MS = [1000, 2000, 5000, 10_000, 15_000];
const LOOK_AGAIN_MS = 15_000;

const isCorrection = (entry) => entry.action.startsWith("correct");

export class Supply {
  constructor(workbench) {
    this.workbench = workbench;
    this.finished = false;
    this.heldByOthers = false; // items that may come back
    this.asking = null;
    this.failures = 0;
  }

  /** The trials that this page has, so that the server does not hand them out again. */
  holding() {
    const { current, prefetch, outbox } = this.workbench;
    const shown = current ? [current.entry.lease.trial] : [];
    return [...new Set([...shown, ...prefetch.trials, ...outbox.trials])];
  }

  want() {
    const { config, current, prefetch } = this.workbench;
    const ahead = config.lookahead + (current ? 0 : 1);
    return Math.min(AT_MOST_AT_ONCE, Math.max(0, ahead - prefetch.size));
  }

  /** Ask for items without an answer to send: at the start, and when somebody looks again. */
  ask() {
    this.asking ??= this.#askUntilAnswered().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  async #askUntilAnswered() {
    const { server, sitting, view } = this.workbench;
    for (;;) {
      try {
        const reply = await server.post("next", { session: sitting, holding: this.holding(), want: this.want() });
        this.failures = 0;
        this.asking = null;
        return this.take(reply);
      } catch (error) {
        view.unreachable(error);
        const pause = ASK_AGAIN_MS[Math.min(this.failures, ASK_AGAIN_MS.length - 1)];
        this.failures += 1;
        await new Promise((done) => setTimeout(done, pause));
      }
    }
  }

  /** Take in what a reply brings. */
  take(reply) {
    const { workbench } = this;
    workbench.prefetch.add(reply.next);
    this.finished = reply.finished;
    this.heldByOthers = Boolean(reply.held_by_others);
    workbench.view.progress(reply.progress, workbench.outbox.entries.length);
    if (!workbench.current && !workbench.paused) workbench.advance();
  }

  /** Nothing is left here: where others hold items that may come back, look again by and by. */
  lookAgain() {
    const { workbench } = this;
    clearTimeout(this.timer);
    if (!this.heldByOthers) return;
    this.timer = workbench.setTimer(() => {
      if (!workbench.current && !workbench.paused) this.ask();
    }, LOOK_AGAIN_MS);
  }

  /** Send one entry of the outbox; with it goes what is held now, so that the reply brings what is missing now. */
  deliver(entry) {
    const { server } = this.workbench;
    const now = this.#isOurs(entry) ? { holding: this.holding(), want: isCorrection(entry) ? 0 : this.want() } : {};
    return server.post(`${entry.trial}/${entry.action}`, { ...entry.body, ...now });
  }

  delivered(reply, entry) {
    const { view, outbox } = this.workbench;
    if (this.#isOurs(entry) && !isCorrection(entry)) this.take(reply);
    else view.progress(reply.progress, outbox.entries.length);
  }

  /** Of an earlier page only the answer is sent: what is handed out belongs to the sitting of this one. */
  #isOurs(entry) {
    return entry.body.session === this.workbench.sitting.key;
  }
}
