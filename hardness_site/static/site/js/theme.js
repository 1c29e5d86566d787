// The theme button: system, light, dark, and round again. Charts listen for the "themechange" event on the document.

const ORDER = ["system", "light", "dark"];
const NAMES = { system: "as the system", light: "light", dark: "dark" };

/** Return the theme after `theme` in the button's order. */
export function nextTheme(theme) {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length];
}

function current(root) {
  return root.dataset.theme ?? "system";
}

function apply(theme, root) {
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
  document.dispatchEvent(new CustomEvent("themechange"));
}

function describe(button, theme) {
  button.dataset.theme = theme;
  button.setAttribute("aria-label", `Theme: ${NAMES[theme]}. Change to ${NAMES[nextTheme(theme)]}.`);
  button.title = `Theme: ${NAMES[theme]}`;
}

/** Make `button` change the theme of `root`. */
export function wireThemeButton(button, root = document.documentElement) {
  describe(button, current(root));
  button.hidden = false;
  button.addEventListener("click", () => {
    apply(nextTheme(current(root)), root);
    describe(button, current(root));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("themechange"));
  });
}
