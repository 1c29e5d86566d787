/**
 * Which key presses count. A held key gives one label however long it is held: repeats are told apart by the browser's
 * mark, and, where a system does not mark them, by the missing release in between.
 */

/** The character a key stands for: what it types, or, where that is of another alphabet, what is printed on a US keyboard. */
export function characters(event) {
  const found = [];
  if (event.key?.length === 1) found.push(event.key.toLowerCase());
  const printed = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code ?? "");
  if (printed) found.push(printed[1].toLowerCase());
  return found;
}

export class KeyGate {
  constructor() {
    this.pressed = new Set();
  }

  /** Return "press" for a key going down, "repeat" for one that is down already. */
  down(event) {
    const name = event.code || event.key;
    if (event.repeat || this.pressed.has(name)) return "repeat";
    this.pressed.add(name);
    return "press";
  }

  up(event) {
    this.pressed.delete(event.code || event.key);
  }

  /** The window lost the keyboard: releases are not heard any more. */
  forget() {
    this.pressed.clear();
  }
}

/** Whether the key belongs to the browser or to a field in which somebody types. */
export function isForeign(event) {
  if (event.altKey || event.metaKey || event.ctrlKey || event.isComposing) return true;
  return Boolean(event.target?.closest?.("input, textarea, select, [contenteditable]"));
}
