/** Classes found by typing, where a project has more of them than there are keys. By keyboard alone, by touch, or by mouse. */

const SHOWN_AT_MOST = 50;
const RECENT_AT_MOST = 8;

/** Small letters without accents, so that "cafe" finds "Café". */
export function plain(text) {
  return text.normalize("NFD").replace(/\p{Mark}/gu, "").toLowerCase();
}

/**
 * The classes whose names hold every word of the query: those that begin with it first, then those in which a word does.
 * Without a query the ones last given, then all, in their order.
 */
export function found(classes, query, recent = []) {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    const last = recent.map((code) => classes.find((each) => each.code === code)).filter(Boolean);
    return [...last, ...classes.filter((each) => !recent.includes(each.code))];
  }
  const rank = (name) => {
    if (name.startsWith(words.join(" "))) return 0;
    return words.every((word) => ` ${name}`.includes(` ${word}`)) ? 1 : 2;
  };
  return classes
    .map((each) => ({ each, name: plain(each.name) }))
    .filter(({ name }) => words.every((word) => name.includes(word)))
    .map(({ each, name }) => ({ each, rank: rank(name) }))
    .sort((a, b) => a.rank - b.rank || a.each.code - b.each.code)
    .map(({ each }) => each);
}

export class ClassPicker {
  /** @param {(code: number, event: Event) => void} choose told which class was chosen, and by which event */
  constructor({ dialog, classes, choose }) {
    Object.assign(this, { dialog, classes, choose });
    this.part = (name) => dialog.querySelector(`[data-part="${name}"]`);
    this.input = this.part("class-search");
    this.list = this.part("class-list");
    this.recent = [];
    this.shown = [];
    this.at = 0;
    this.input.addEventListener("input", () => this.search());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => {
      const code = event.target.closest("[data-class]")?.dataset.class;
      if (code !== undefined && event.detail <= 1) this.take(Number(code), event);
    });
  }

  /** Whether a key that gives no answer begins a search. */
  isOpenedBy(event) {
    return event.key === "." || /^[\p{Letter}\p{Number}]$/u.test(event.key);
  }

  open(typed = "") {
    this.input.value = typed === "." ? "" : typed;
    this.dialog.showModal();
    this.input.focus();
    this.search();
  }

  search() {
    const all = found(this.classes, this.input.value, this.recent);
    this.shown = all.slice(0, SHOWN_AT_MOST);
    this.list.replaceChildren(...this.shown.map((each, i) => this.#option(each, i)));
    const more = all.length - this.shown.length;
    this.part("class-count").textContent =
      all.length === 0 ? "No class is called like that." : `${all.length} ${all.length === 1 ? "class" : "classes"}${more > 0 ? `, the first ${SHOWN_AT_MOST} shown` : ""}`;
    this.#select(0);
  }

  #option({ code, name }, i) {
    const option = document.createElement("li");
    option.id = `wb-class-${i}`;
    option.dataset.class = code;
    option.setAttribute("role", "option");
    option.textContent = name;
    return option;
  }

  #select(at) {
    this.at = Math.max(0, Math.min(at, this.shown.length - 1));
    for (const [i, option] of [...this.list.children].entries()) option.setAttribute("aria-selected", String(i === this.at));
    const chosen = this.list.children[this.at];
    this.input.setAttribute("aria-activedescendant", chosen?.id ?? "");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) {
      event.preventDefault();
      this.#select(this.at + step);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      const chosen = this.shown[this.at];
      if (chosen && !event.repeat) this.take(chosen.code, event);
    }
  }

  take(code, event) {
    this.recent = [code, ...this.recent.filter((each) => each !== code)].slice(0, RECENT_AT_MOST);
    this.dialog.close();
    this.choose(code, event);
  }
}
