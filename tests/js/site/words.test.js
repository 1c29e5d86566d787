// Durations are written as the server writes them; the theme button goes round.

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatDuration } from "../../../hardness_site/static/site/js/clock.js";
import { nextTheme } from "../../../hardness_site/static/site/js/theme.js";

test("durations read like those of the server", () => {
  const cases = [[-3, "0 s"], [8.9, "8 s"], [65, "1 min 05 s"], [3599, "59 min 59 s"], [7380, "2 h 03 min"]];
  for (const [seconds, words] of cases) assert.equal(formatDuration(seconds), words);
});

test("the theme goes from the system's to light, dark and back", () => {
  assert.deepEqual(["system", "light", "dark"].map(nextTheme), ["light", "dark", "system"]);
});
