// Runs before the first paint, so that a stored theme never flashes the other one. Not a module: modules are deferred.
(function () {
  try {
    const stored = localStorage.getItem("theme");
    if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
  } catch {
    // Storage is blocked: the system's theme it is.
  }
})();
