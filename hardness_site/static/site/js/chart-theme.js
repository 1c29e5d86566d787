// Colours, type and lines of charts, taken from the page's own tokens.

const NARROW = 520;

/** Return the colour that the token `name` has now, as rgb(): Vega reads neither light-dark() nor var(). */
export function tokenColour(element, name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** Return Vega-Lite's config for a chart inside `element` that is `width` pixels wide. */
export function chartConfig(element, width) {
  const colour = (name) => tokenColour(element, name);
  const [ink, soft, faint] = ["--ink", "--ink-2", "--ink-3"].map(colour);
  const marks = ["--mark-1", "--mark-2", "--mark-3", "--mark-4"].map(colour);
  const font = getComputedStyle(element).fontFamily;
  return {
    background: null,
    font,
    padding: { left: 0, right: 8, top: 6, bottom: 8 },
    view: { stroke: null },
    mark: { color: marks[0], tooltip: null },
    rule: { color: faint },
    point: { size: 60 },
    text: { color: soft, font, fontSize: 12 },
    axis: {
      domainColor: colour("--line-strong"), tickColor: colour("--line-strong"), gridColor: colour("--line"),
      labelColor: soft, titleColor: ink, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 500, labelFont: font,
      titlePadding: 10, labelOverlap: "greedy", labelSeparation: 8, labelPadding: 6, tickSize: 4, labelLimit: width < NARROW ? 130 : 240,
    },
    axisQuantitative: { tickCount: width < NARROW ? 4 : 6 },
    axisY: { domain: false, ticks: false },
    legend: { labelColor: soft, titleColor: ink, labelFontSize: 12, labelLimit: Math.max(120, width - 40), symbolSize: 70, rowPadding: 4, offset: 14, padding: 0 },
    header: { labelColor: soft, titleColor: ink },
    range: { category: marks, ordinal: [marks[0]], ramp: [colour("--line"), marks[0]] },
  };
}

/** Return the specification as wide as its ground, with legends in one column where that is narrow. */
export function fitToWidth(spec, width) {
  const fitted = { ...structuredClone(spec), autosize: { type: "fit-x", contains: "padding" } };
  if (width >= NARROW) return fitted;
  const walk = (part) => {
    if (part === null || typeof part !== "object") return;
    if (part.legend && typeof part.legend === "object") Object.assign(part.legend, { columns: 1, orient: "bottom" });
    for (const [name, inner] of Object.entries(part)) if (name !== "data" && name !== "datasets") walk(inner);
  };
  walk(fitted);
  return fitted;
}
