/** The workbench's elements: what is drawn where. Decides nothing. */

import { SignedOut } from "./outbox.js";
import { boxInStage } from "./presentation.js";

const FLASH_MS = 160;

const boxesInWords = (count) => (count === 0 ? "Nothing here" : `${count} ${count === 1 ? "box" : "boxes"}`);

export class View {
  constructor(root, { classes, images = null }, afterFrame = (work) => work()) {
    this.root = root;
    this.images = images;
    this.afterFrame = afterFrame;
    this.classes = classes;
    this.saved = ""; // what was said of the last answer, until the next image is
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.buttons = new Map([...root.querySelectorAll("[data-code]")].map((each) => [Number(each.dataset.code), each]));
    new ResizeObserver(([{ contentRect }]) => {
      this.stage = contentRect;
      this.#drawBox();
    }).observe(this.part("stage"));
  }

  /** One of: loading, shown, open, correcting, message. The stylesheet does the rest. */
  state(state) {
    this.root.dataset.state = state;
  }

  #message(title, text, { actions = [] } = {}) {
    this.state("message");
    this.part("message-title").textContent = title;
    this.part("message-text").textContent = text;
    for (const button of this.root.querySelectorAll("[data-action-for-message]")) {
      button.hidden = !actions.includes(button.dataset.action);
    }
    this.part("summary").hidden = true;
    this.part("message").hidden = false;
    this.part("box").hidden = true;
  }

  fetching() {
    this.state("loading");
    this.part("message").hidden = true;
    this.part("box").hidden = true;
  }

  item(entry, answer) {
    this.part("message").hidden = true;
    this.state(answer ? "correcting" : "shown");
    this.root.dataset.task = entry.lease.draw ? "draw" : "choose";
    this.box = entry.lease.box;
    this.image = entry.image;
    this.#drawBox();
    // The next image is all that its frame has time for; an answer that is gone back to has no such hurry.
    if (answer) this.#describe(entry, answer);
    else this.afterFrame(() => this.image === entry.image && this.#describe(entry, null));
  }

  #describe(entry, answer) {
    for (const [code, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(Boolean(answer) && answer.code === code));
    }
    const given = answer && (answer.boxes ? boxesInWords(answer.boxes.length) : answer.code === null ? "skipped" : this.#name(answer.code));
    this.part("correcting").textContent = answer ? `You said: ${given}. Choose another answer, or keep it.` : "";
    this.part("training").hidden = !entry.lease.training;
    if (entry.image) entry.image.alt = entry.lease.box ? "The image; the item is what the frame surrounds" : "The image to judge";
    if (entry.image && entry.lease.draw) entry.image.alt = "The image to draw boxes in";
    this.part("redo").disabled = !answer;
    const place = `Image ${entry.lease.position}.`;
    this.say(answer ? `Back at ${place.toLowerCase()} ${this.part("correcting").textContent}` : `${this.saved} ${place}`.trim());
    this.saved = "";
  }

  open() {
    this.state("open");
  }

  /** `isSaved`: the answer is given with it; else it is the class of a box, and the board says so. */
  answered(code, isSaved = true) {
    const button = this.buttons.get(code);
    button?.classList.add("is-given");
    setTimeout(() => button?.classList.remove("is-given"), FLASH_MS);
    if (!isSaved) return;
    this.saved = `${this.#name(code)} saved.`;
    this.say(this.saved);
  }

  /** Boxes were handed in. */
  drawn(count) {
    this.saved = `${boxesInWords(count)} saved.`;
    this.say(this.saved);
  }

  /** How a drawing stands; null when none is open. */
  drawing(state) {
    const done = this.part("boxes-done");
    if (!done) return;
    this.hint("");
    if (!state) return;
    done.textContent = state.boxes ? `Done: ${boxesInWords(state.boxes)}` : "Nothing here";
    this.part("box-delete").disabled = !state.selected;
    for (const [code, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(state.selected?.label === code));
    }
  }

  /** Say what is missing, for everybody to see. */
  hint(text) {
    this.part("hint").textContent = text;
    this.part("hint").hidden = !text;
    if (text) this.say(text);
  }

  skipped() {
    this.saved = "Skipped.";
    this.say(this.saved);
  }

  outOfTime() {
    // A dialog about the image that is gone must not act on the next one.
    this.root.querySelector("dialog[open]")?.close();
    this.saved = "Time is up.";
    this.say(this.saved);
  }

  #name(code) {
    return this.classes.find((each) => each.code === code)?.name ?? "";
  }

  canUndo(can) {
    this.part("undo").disabled = !can;
  }

  say(text) {
    this.part("say").textContent = text;
  }

  /** The server's counts, and the answers given here that it does not have yet. */
  progress({ answered, items }, waiting) {
    // Of drawn objects nobody is asked: the images are what is to be done.
    this.counted = { answered, items: this.images ?? items };
    this.#drawProgress(waiting);
  }

  #drawProgress(waiting) {
    if (!this.counted) return;
    const done = this.counted.answered + waiting;
    this.part("count").textContent = `${done.toLocaleString()} labelled`;
    const bar = this.part("bar");
    bar.max = Math.max(1, this.counted.items);
    bar.value = Math.min(done, bar.max);
    bar.title = `${done.toLocaleString()} of at most ${this.counted.items.toLocaleString()}`;
  }

  /** How deliveries stand. Nothing is said as long as all is well. */
  deliveries({ waiting, failing, signedOut }) {
    const line = this.part("network");
    const answers = `${waiting} ${waiting === 1 ? "answer" : "answers"}`;
    line.hidden = !(failing && waiting > 0);
    this.part("network-text").textContent = signedOut
      ? `You have been signed out. ${answers} kept on this computer until you sign in again.`
      : `${answers} waiting for the network. Nothing is lost: you can go on.`;
    this.part("sign-in").hidden = !signedOut;
  }

  refused(error) {
    const line = this.part("refused");
    line.hidden = false;
    this.part("refused-text").textContent = `An answer could not be saved: ${error.message}`;
  }

  unreachable(error) {
    const signedOut = error instanceof SignedOut;
    this.#message(
      signedOut ? "You have been signed out" : "The server cannot be reached",
      signedOut ? "Sign in again to go on." : `${error.message} Trying again by itself.`,
      { actions: signedOut ? ["sign-in"] : [] },
    );
  }

  broken() {
    this.#message("This image could not be fetched", "Try again, or skip it: somebody will look at why.", {
      actions: ["retry", "skip-broken"],
    });
  }

  elsewhere() {
    this.#message("You are labelling in another tab", "Only one tab at a time can measure times.", { actions: ["here"] });
  }

  pause(summary, due = false) {
    const title = due ? "Time for a break" : "A break";
    this.#message(title, "Take your time. The next image comes when you go on.", { actions: ["resume"] });
    if (due) this.say(`${title}. The next image comes when you go on.`);
    this.#drawSummary(summary);
  }

  /** Nothing is left; `held`: other people have images that may come back. */
  done(summary, held = false) {
    const some = summary.answered + summary.skipped > 0;
    const empty = this.counted?.items === 0;
    const title = empty
      ? "There are no images yet"
      : held ? "The last images are with others" : some ? "That was all for now" : "Nothing to label at the moment";
    const text = empty
      ? "Once a manager of the project has imported some, they are here."
      : held
      ? "Other people have them before them just now. What they skip or leave comes to you: this page looks again by itself."
      : `Every image that needs your judgment has it.${some ? " Thank you." : ""}`;
    const isNews = this.root.dataset.state !== "message" || this.part("message-title").textContent !== title;
    this.#message(title, text, { actions: ["again", "progress"] });
    this.#drawSummary(summary);
    if (isNews) this.say(title);
  }

  #drawSummary({ answered, skipped, activeMs, breaks, inARow }) {
    const judged = answered + skipped;
    if (judged === 0) return;
    this.part("summary").hidden = false;
    this.part("sum-answered").textContent = answered.toLocaleString();
    this.part("sum-skipped").textContent = skipped.toLocaleString();
    this.part("sum-time").textContent = activeMs < 60_000 ? `${Math.round(activeMs / 1000)} s` : `${Math.round(activeMs / 60_000)} min`;
    this.part("sum-breaks").textContent = breaks.toLocaleString();
    this.part("sum-row").textContent = inARow.toLocaleString();
    this.part("sum-pace").textContent = `${(activeMs / 1000 / judged).toFixed(1)} s`;
  }

  #drawBox() {
    const frame = this.part("box");
    frame.hidden = !this.box || !this.image;
    if (frame.hidden) return;
    // Asking for the size would make the browser lay the page out in the frame of the image.
    const stage = this.stage ?? this.part("stage").getBoundingClientRect();
    const at = boxInStage(this.box, { width: this.image.naturalWidth, height: this.image.naturalHeight }, stage);
    for (const [side, px] of Object.entries(at)) frame.style[side] = `${px}px`;
  }
}
