// Draws every <figure data-chart="address of a Vega-Lite specification">, see docs/look.md.
//
// Vega evaluates expressions through its interpreter, because the page's policy forbids eval. Specifications come without
// colours or fonts: those are the page's, so a chart follows the theme. Vega itself (half a megabyte) is loaded when
// the first chart comes into sight.

import { fillTable } from "./chart-table.js";
import { chartConfig, fitToWidth } from "./chart-theme.js";
import { chartTooltip } from "./chart-tooltip.js";

const addresses = document.querySelector("script[data-vega]").dataset;
let engine = null;

function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${address} could not be loaded`));
    document.head.append(script);
  });
}

function loadEngine() {
  engine ??= (async () => {
    await loadScript(addresses.vega);
    await loadScript(addresses.vegaLite);
    const module = await import(addresses.vegaInterpreter);
    return {
      vega: window.vega,
      vegaLite: window.vegaLite,
      interpreter: module.expressionInterpreter ?? window.vega.expressionInterpreter,
    };
  })();
  return engine;
}

async function fetchSpec(address) {
  const response = await fetch(address, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response.json();
}

class ChartFigure {
  constructor(figure) {
    this.figure = figure;
    this.ground = figure.querySelector(".chart__view");
    this.spec = null;
    this.view = null;
    this.width = 0;
  }

  async start() {
    try {
      this.spec = await fetchSpec(this.figure.dataset.chart);
      await this.draw();
    } catch (error) {
      this.ground.textContent = `The chart could not be drawn: ${error.message}. Load the page again.`;
      this.figure.dataset.state = "failed";
      return;
    }
    const fold = this.figure.querySelector("[data-chart-table]");
    fold?.closest("details").addEventListener("toggle", () => {
      if (!fold.hasChildNodes()) fillTable(fold, this.spec, this.itemAddress.bind(this));
    });
    document.addEventListener("themechange", () => this.draw());
    new ResizeObserver(() => {
      const width = Math.floor(this.ground.clientWidth);
      if (width && Math.abs(width - this.width) > 1) this.draw();
    }).observe(this.ground);
  }

  async draw() {
    const { vega, vegaLite, interpreter } = await loadEngine();
    this.width = Math.floor(this.ground.clientWidth);
    const spec = fitToWidth(this.spec, this.width);
    const options = { config: chartConfig(this.figure, this.width), logger: vega.logger(vega.Error) };
    const runtime = vega.parse(vegaLite.compile(spec, options).spec, null, { ast: true });
    this.view?.finalize();
    this.ground.replaceChildren();
    this.view = new vega.View(runtime, { expr: interpreter, renderer: "svg", container: this.ground, hover: true });
    this.view.tooltip(chartTooltip(this.thumbnailAddress.bind(this)));
    this.view.addEventListener("click", (event, mark) => this.open(event, mark));
    this.view.addEventListener("mousemove", (event, mark) => {
      this.ground.style.cursor = this.itemAddress(mark?.datum?.item) ? "pointer" : "";
    });
    await this.view.runAsync();
    this.figure.dataset.state = "drawn";
  }

  open(event, mark) {
    const address = this.itemAddress(mark?.datum?.item);
    if (!address) return;
    if (event.ctrlKey || event.metaKey) window.open(address, "_blank", "noopener");
    else window.location.assign(address);
  }

  /** Address of an item's page; the page gives it for item 0. */
  itemAddress(item) {
    const pattern = this.figure.dataset.itemAddress;
    return item && pattern ? pattern.replace("/items/0/", `/items/${item}/`) : "";
  }

  thumbnailAddress(item) {
    const pattern = this.figure.dataset.thumbnailAddress;
    return item && pattern ? pattern.replace("/items/0/", `/items/${item}/`) : "";
  }
}

const inSight = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    inSight.unobserve(entry.target);
    new ChartFigure(entry.target).start();
  }
}, { rootMargin: "400px" });

document.querySelectorAll("figure[data-chart]").forEach((figure) => inSight.observe(figure));
// Paper shows everything: what has not been scrolled to is drawn before it is printed.
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("figure[data-chart]:not([data-state])").forEach((figure) => {
    inSight.unobserve(figure);
    new ChartFigure(figure).start();
  });
});
