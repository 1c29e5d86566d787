/**
 * Answers on their way to the server. Each is stored before it is sent and removed when the server has said that it is
 * saved, so a closed tab or a lost network loses nothing; its key makes a second delivery harmless. Delivered one at a time,
 * in the order in which they were given.
 */

const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15_000];

/** Said by the sender when the server is there but will never take this entry. */
export class Refused extends Error {}
/** Said by the sender when somebody has to sign in first. */
export class SignedOut extends Error {}

export class Outbox {
  /**
   * @param {object} parts store (add, all, remove), send(entry) -> reply, onReply(reply, entry), onRefused(error, entry),
   *   onState({waiting, failing, signedOut})
   */
  constructor({ store, send, onReply, onRefused, onState, setTimer = setTimeout, clearTimer = clearTimeout, afterFrame = async (work) => work() }) {
    Object.assign(this, { store, send, onReply, onRefused, onState, setTimer, clearTimer, afterFrame });
    this.entries = [];
    this.failures = 0;
    this.signedOut = false;
    this.delivering = null;
    this.timer = null;
  }

  /** Take up what an earlier page left behind. */
  async open() {
    this.entries = (await this.store.all()).map((entry) => ({ ...entry, settled: null }));
    this.#tell();
  }

  get trials() {
    return this.entries.map((entry) => entry.trial);
  }

  /**
   * Store an entry, then deliver it. `settled` resolves with the events once the last of them (the release of the key) is
   * there; until then the entry waits, with the events it has, safe from a closed tab.
   */
  async add(entry, settled = null) {
    const kept = { ...entry, settled };
    this.entries.push(kept);
    kept.stored = this.afterFrame(() => {
      this.#tell();
      return this.store.add(entry);
    }).catch(() => null);
    await kept.stored;
    this.deliver();
  }

  /** Deliver all there is. Called again while it runs, it goes on running. */
  deliver() {
    this.clearTimer(this.timer);
    this.delivering ??= this.#deliverAll().finally(() => {
      this.delivering = null;
    });
    return this.delivering;
  }

  async #deliverAll() {
    while (this.entries.length > 0) {
      const entry = this.entries[0];
      if (entry.settled) entry.body = { ...entry.body, events: await entry.settled };
      let reply = null;
      let refusal = null;
      try {
        reply = await this.send(entry);
      } catch (error) {
        if (!(error instanceof Refused)) return this.#wait(error);
        refusal = error;
      }
      this.entries.shift();
      await this.#forget(entry);
      this.failures = 0;
      this.signedOut = false;
      this.#tell();
      if (refusal) this.onRefused(refusal, entry);
      else this.onReply(reply, entry);
    }
    return undefined;
  }

  async #forget(entry) {
    // An entry that could not be stored has no id.
    const id = entry.id ?? (await entry.stored);
    if (id !== null && id !== undefined) await this.store.remove(id).catch(() => {});
  }

  #wait(error) {
    this.signedOut = error instanceof SignedOut;
    const pause = PAUSES_MS[Math.min(this.failures, PAUSES_MS.length - 1)];
    this.failures += 1;
    this.#tell();
    this.timer = this.setTimer(() => this.deliver(), pause);
  }

  #tell() {
    this.onState({ waiting: this.entries.length, failing: this.failures > 0, signedOut: this.signedOut });
  }
}

/** Keeps entries in IndexedDB, those of one person and project together. */
export class DatabaseStore {
  constructor(indexedDB, scope) {
    Object.assign(this, { indexedDB, scope });
  }

  async open() {
    const request = this.indexedDB.open("hardness-outbox", 1);
    request.onupgradeneeded = () => {
      const entries = request.result.createObjectStore("entries", { keyPath: "id", autoIncrement: true });
      entries.createIndex("scope", "scope");
    };
    this.database = await settle(request);
    return this;
  }

  #entries(mode) {
    return this.database.transaction("entries", mode, { durability: "strict" }).objectStore("entries");
  }

  add(entry) {
    return settle(this.#entries("readwrite").add({ ...entry, scope: this.scope }));
  }

  all() {
    return settle(this.#entries("readonly").index("scope").getAll(this.scope));
  }

  remove(id) {
    return settle(this.#entries("readwrite").delete(id));
  }
}

/** Keeps entries as long as the page lives, where the browser allows nothing else. */
export class MemoryStore {
  constructor() {
    this.entries = new Map();
    this.last = 0;
  }

  async add(entry) {
    this.last += 1;
    this.entries.set(this.last, { ...entry, id: this.last });
    return this.last;
  }

  async all() {
    return [...this.entries.values()];
  }

  async remove(id) {
    this.entries.delete(id);
  }
}

function settle(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
