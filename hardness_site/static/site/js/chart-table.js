// The figures of a chart as a table, for those who cannot or do not want to read the drawing.

const MOST_ROWS = 200;

/** Return the largest set of inline rows in a Vega-Lite specification. */
export function rowsOf(spec) {
  const found = [];
  const walk = (part) => {
    if (part === null || typeof part !== "object") return;
    if (Array.isArray(part.data?.values)) found.push(part.data.values);
    for (const rows of Object.values(part.datasets ?? {})) found.push(rows);
    for (const key of ["layer", "hconcat", "vconcat", "concat"]) (part[key] ?? []).forEach(walk);
    walk(part.spec);
  };
  walk(spec);
  return found.reduce((most, rows) => (rows.length > most.length ? rows : most), []);
}

/** Return [{field, title}]: what the tooltips of the chart name, in their order; else every field of the rows. */
export function columnsOf(spec, rows) {
  const columns = [];
  const add = (channel) => {
    if (!channel?.field || columns.some((column) => column.field === channel.field)) return;
    if (rows.length && !(channel.field in rows[0])) return;
    columns.push({ field: channel.field, title: channel.title ?? channel.field });
  };
  const walk = (part) => {
    if (part === null || typeof part !== "object") return;
    [part.encoding?.tooltip].flat().forEach(add);
    ["color", "shape"].forEach((channel) => add(part.encoding?.[channel]));
    (part.layer ?? []).forEach(walk);
  };
  walk(spec);
  if (columns.length) return columns.map((column) => ({ ...column, title: capital(column.title) }));
  return Object.keys(rows[0] ?? {}).map((field) => ({ field, title: capital(field) }));
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function shown(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (typeof value !== "number") return String(value);
  const digits = Number.isInteger(value) ? 0 : 3;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}

/** Put the rows of `spec` into `place`; rows of items link to `itemAddress(item)`. */
export function fillTable(place, spec, itemAddress) {
  const rows = rowsOf(spec);
  const columns = columnsOf(spec, rows);
  const table = document.createElement("table");
  table.className = "table";
  const head = table.createTHead().insertRow();
  for (const column of columns) {
    const cell = document.createElement("th");
    cell.textContent = column.title;
    if (typeof rows[0]?.[column.field] === "number") cell.className = "num";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows.slice(0, MOST_ROWS)) {
    const line = body.insertRow();
    for (const column of columns) {
      const cell = line.insertCell();
      const value = row[column.field];
      const address = column.field === "path" ? itemAddress(row.item) : "";
      if (typeof value === "number") cell.className = "num";
      if (address) {
        const link = document.createElement("a");
        link.href = address;
        link.textContent = shown(value);
        cell.append(link);
      } else {
        cell.textContent = shown(value);
      }
    }
  }
  const wrap = document.createElement("div");
  wrap.className = "table-wrap chart__table";
  wrap.tabIndex = 0;
  wrap.setAttribute("role", "region");
  wrap.setAttribute("aria-label", "The figures of the chart");
  wrap.append(table);
  place.append(wrap);
  if (rows.length > MOST_ROWS) {
    const note = document.createElement("p");
    note.className = "small muted";
    note.textContent = `The first ${MOST_ROWS} of ${rows.length.toLocaleString("en-GB")} rows.`;
    place.append(note);
  }
}
