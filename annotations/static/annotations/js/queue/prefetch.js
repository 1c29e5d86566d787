/** Images fetched and decoded before their turn, each with the recorder of its trial. */

const TRIES = 4;
const PAUSE_MS = 1000;

export class Prefetch {
  /** @param {() => HTMLImageElement} makeImage */
  constructor({ makeImage, makeRecorder, memory, setTimer = setTimeout }) {
    Object.assign(this, { makeImage, makeRecorder, memory, setTimer });
    this.waiting = [];
  }

  /** Take in leases: fetching begins at once, in their order. Those that are here already are left alone. */
  add(leases) {
    for (const lease of leases) {
      if (this.waiting.some((entry) => entry.lease.trial === lease.trial)) continue;
      const recorder = this.makeRecorder();
      recorder.record("issued");
      // Only this browser can know that the image was never on its screen.
      if (lease.reissued) recorder.record(this.memory.wasShown(lease.trial) ? "resumed" : "unseen");
      this.memory.noteIssued(lease.trial);
      const entry = { lease, recorder, image: null, visits: 0 };
      entry.ready = this.#load(entry);
      entry.ready.catch(() => {});
      this.waiting.push(entry);
    }
    this.waiting.sort((a, b) => a.lease.position - b.lease.position);
  }

  async #load(entry) {
    for (let tried = 1; ; tried += 1) {
      const image = this.makeImage();
      const start = entry.recorder.clock.now();
      try {
        image.src = entry.lease.image;
        await loaded(image);
        const end = entry.recorder.clock.now();
        await image.decode?.();
        entry.recorder.record("fetch_start", start);
        entry.recorder.record("fetch_end", end);
        entry.recorder.record("decoded");
        entry.image = image;
        return entry;
      } catch (error) {
        if (tried >= TRIES) throw error;
        await new Promise((done) => this.setTimer(done, PAUSE_MS * tried));
      }
    }
  }

  /** The next entry, taken out; undefined when there is none. */
  take() {
    return this.waiting.shift();
  }

  /** Put an entry that was taken out back at the head. */
  putBack(entry) {
    this.waiting.unshift(entry);
  }

  /** Begin anew with an image that could not be fetched. */
  retry(entry) {
    entry.ready = this.#load(entry);
    entry.ready.catch(() => {});
  }

  get size() {
    return this.waiting.length;
  }

  get trials() {
    return this.waiting.map((entry) => entry.lease.trial);
  }
}

function loaded(image) {
  if (image.complete && image.naturalWidth > 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    image.addEventListener("load", resolve, { once: true });
    image.addEventListener("error", () => reject(new Error("The image could not be fetched.")), { once: true });
  });
}

/** Which trials this browser was given and which it has shown, remembered over reloads. */
export class ShownMemory {
  constructor(storage, key, keep = 300) {
    Object.assign(this, { storage, key, keep });
    this.issued = new Map();
    try {
      this.issued = new Map(JSON.parse(storage.getItem(key) ?? "[]"));
    } catch {
      // Nothing that can be read is remembered: then everything handed out before counts as seen.
    }
  }

  /** Unknown ones count as shown: they may have been, in another browser. */
  wasShown(trial) {
    return this.issued.get(trial) ?? true;
  }

  noteIssued(trial) {
    if (!this.issued.has(trial)) this.#note(trial, false);
  }

  noteShown(trial) {
    this.#note(trial, true);
  }

  #note(trial, shown) {
    this.issued.set(trial, shown);
    while (this.issued.size > this.keep) this.issued.delete(this.issued.keys().next().value);
    try {
      this.storage.setItem(this.key, JSON.stringify([...this.issued]));
    } catch {
      // A full or forbidden storage: a reload will count these as seen.
    }
  }
}
