// What stands under the pointer in a chart: thumbnail, name, figures. Vega's own tooltip would need inline styles.

const MARGIN = 14;

function box() {
  let element = document.getElementById("chart-tooltip");
  if (!element) {
    element = document.createElement("div");
    element.id = "chart-tooltip";
    element.className = "chart-tooltip";
    element.setAttribute("aria-hidden", "true");
    element.hidden = true;
    document.body.append(element);
  }
  return element;
}

function fill(element, value, thumbnail) {
  element.replaceChildren();
  if (thumbnail) {
    const image = document.createElement("img");
    image.className = "thumb";
    image.alt = "";
    image.src = thumbnail;
    element.append(image);
  }
  const list = document.createElement("dl");
  const entries = typeof value === "object" ? Object.entries(value) : [["", value]];
  for (const [name, text] of entries) {
    const term = document.createElement("dt");
    const detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = text;
    list.append(term, detail);
  }
  element.append(list);
}

function place(element, event) {
  const { clientX: x, clientY: y } = event;
  const { offsetWidth: width, offsetHeight: height } = element;
  const left = x + MARGIN + width > window.innerWidth ? x - MARGIN - width : x + MARGIN;
  const top = y + MARGIN + height > window.innerHeight ? y - MARGIN - height : y + MARGIN;
  element.style.left = `${Math.max(4, left)}px`;
  element.style.top = `${Math.max(4, top)}px`;
}

/** Return a handler for Vega's `view.tooltip`; `thumbnailAddress(item)` is empty where there is none. */
export function chartTooltip(thumbnailAddress) {
  return (handler, event, mark, value) => {
    const element = box();
    if (value === null || value === undefined || value === "") {
      element.hidden = true;
      return;
    }
    if (element.shown !== mark || element.hidden) fill(element, value, thumbnailAddress(mark?.datum?.item));
    element.shown = mark;
    element.hidden = false;
    place(element, event);
  };
}
