// Clocks that run: <time data-elapsed-since="ISO instant">. The server's words stay where there is no script.

/** Return `seconds` in words, as the server writes them: "8 s", "1 min 05 s", "2 h 03 min". */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

function tick() {
  // The page's clock may be wrong; `data-server-now`, given with the page, tells by how much.
  for (const element of document.querySelectorAll("[data-elapsed-since]")) {
    if (element.skew === undefined) {
      const serverNow = Date.parse(element.dataset.serverNow ?? "");
      element.skew = Number.isNaN(serverNow) ? 0 : serverNow - Date.now();
    }
    const seconds = (Date.now() + element.skew - Date.parse(element.dataset.elapsedSince)) / 1000;
    const text = formatDuration(seconds);
    if (element.textContent !== text) element.textContent = text;
  }
}

/** Start ticking once a second; elements that htmx brings in later run too. */
export function wireClocks() {
  tick();
  setInterval(tick, 1000);
}
