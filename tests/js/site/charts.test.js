// What charts say as a table, and how they fit narrow screens.

import assert from "node:assert/strict";
import { test } from "node:test";

import { columnsOf, rowsOf } from "../../../hardness_site/static/site/js/chart-table.js";
import { fitToWidth } from "../../../hardness_site/static/site/js/chart-theme.js";

const points = [{ item: 7, path: "a.png", x: 1.5, y: 2, quadrant: "Easy" }, { item: 8, path: "b.png", x: 0, y: 1, quadrant: "Hard" }];
const scatter = {
  layer: [
    {
      data: { values: points },
      encoding: {
        color: { field: "quadrant", title: null, legend: { columns: 2 } },
        tooltip: [{ field: "path", title: "item" }, { field: "x", title: "Time" }],
      },
    },
    { data: { values: [{ cut: 1 }] }, mark: "rule" },
  ],
};

test("the table holds the points, not the lines at the cuts", () => {
  assert.equal(rowsOf(scatter), points);
});

test("columns are what the tooltip names, then what the colour says", () => {
  assert.deepEqual(columnsOf(scatter, points), [
    { field: "path", title: "Item" }, { field: "x", title: "Time" }, { field: "quadrant", title: "Quadrant" },
  ]);
});

test("without tooltips every field is a column", () => {
  const rows = [{ label: "a", value: 1 }];
  assert.deepEqual(columnsOf({ data: { values: rows } }, rows).map((column) => column.field), ["label", "value"]);
});

test("named data sets are found, an empty chart gives an empty table", () => {
  assert.deepEqual(rowsOf({ datasets: { one: points }, layer: [{ data: { name: "one" } }] }), points);
  assert.deepEqual(rowsOf({ mark: "bar" }), []);
});

test("narrow charts have their legend in one column, and the specification stays as it was", () => {
  assert.equal(fitToWidth(scatter, 360).layer[0].encoding.color.legend.columns, 1);
  assert.equal(fitToWidth(scatter, 900).layer[0].encoding.color.legend.columns, 2);
  assert.equal(scatter.layer[0].encoding.color.legend.columns, 2);
});
