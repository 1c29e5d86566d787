// What every page needs: the theme button, confirmation of what cannot be undone, copying, running clocks.

import { wireClocks } from "./clock.js";
import { wireThemeButton } from "./theme.js";

const themeButton = document.querySelector("[data-theme-button]");
if (themeButton) wireThemeButton(themeButton);

// <form data-confirm="Cancel this round?">: asked before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

// <button data-copy="text">: says so when it has worked.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy by hand";
  }
  setTimeout(() => { button.textContent = label; }, 1600);
});

wireClocks();

// The current section of a project stays in sight where the tabs scroll sideways.
document.querySelectorAll(".tabs [aria-current]").forEach((tab) => {
  const strip = tab.parentElement;
  if (strip.scrollWidth > strip.clientWidth) strip.scrollLeft = tab.offsetLeft - strip.offsetLeft - 24;
});
