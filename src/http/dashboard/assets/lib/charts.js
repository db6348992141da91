// A chart with its legend, notes, table of numbers and downloads.

import { numbers } from "./charts/numbers.js";
import { pngOf } from "./charts/picture.js";
import { plot } from "./charts/plot.js";
import { save, saveText, toCsv } from "./csv.js";
import { h, replace } from "./dom.js";
import { number, short } from "./format.js";
import { notify } from "./notices.js";

/**
 * @typedef {import("../../types").Chart} Chart
 * @typedef {import("../../types").DrawnChart} DrawnChart
 */

/**
 * A chart, `{ element, update(what) }`. An update changes it in place: focus, pointer, scroll
 * position and open parts are kept. `what` has
 *
 * - `title`, `period`, `summary`: its name, its period, and its text for screen readers
 * - `count` rows, `keyOf(row)`, `nameOf(row)`, `rangeOf(first, last)`, `tickOf(row, unit,
 *   isFirst)`, `machineOf(row)`: identify and name rows: in the table, next to the pointer if
 *   several rows are drawn as one, on the axis, in CSV
 * - `axis`: `{ kind: "time", walls, interval }` or `{ kind: "category" }`
 * - `series`: `{ name, values, tone, kind, unit, noteOf }` each; a missing value is null, and
 *   `kind` is `bar`, `line` or `area`
 * - `openAt`: the row that is not finished, or -1, and `openText`, the text for it
 * - `unit` of the axis, `column` (the heading of the rows), `file` (the name of downloads), `notes`
 *
 * @param {Chart} first
 */
export function chart(first) {
  /** @type {DrawnChart} */
  let what;
  const legend = h("ul", { class: "legend" });
  const notes = h("p", { class: "hint chart-notes" });
  const picture = plot((layout) => showNotes(notes, what, layout));
  const table = numbers();
  const csv = h("button", { class: "button button-small", type: "button" }, "CSV");
  csv.addEventListener("click", () => saveText(`${what.file}.csv`, csvOf(what)));
  const png = h("button", { class: "button button-small", type: "button" }, "PNG");
  png.addEventListener("click", async () => {
    try {
      save(`${what.file}.png`, await pngOf(what, picture.element));
    } catch (error) {
      console.error(error);
      notify("The picture could not be created.", "bad");
    }
  });
  const element = h(
    "figure",
    { class: "chart" },
    legend,
    picture.element,
    h(
      "figcaption",
      { class: "chart-foot" },
      notes,
      table.element,
      h("span", { class: "downloads" }, h("span", { class: "hint" }, "Download"), csv, png),
    ),
  );
  const update = (/** @type {Chart} */ next) => {
    what = { ...next, format: short, formatWhole: number, legend: legendOf(next) };
    showLegend(legend, what);
    picture.update(what);
    table.update(what);
  };
  update(first);
  return { element, update };
}

/**
 * Returns the legend of the drawing.
 *
 * @param {Chart} what
 */
function legendOf({ series, openAt, openText }) {
  /** @type {DrawnChart["legend"]} */
  const tones = series.map(({ name, kind, tone }) => ({ name, kind, tone }));
  const open = openAt >= 0 && { name: openText, kind: "open", tone: series[0].tone };
  const all = open ? [...tones, open] : tones;
  return series.length > 1 || open ? all : [];
}

/**
 * @param {HTMLElement} place
 * @param {DrawnChart} what
 */
function showLegend(place, { legend }) {
  replace(
    place,
    legend.map(({ name, kind, tone }) =>
      h("li", {}, h("i", { class: `swatch swatch-${kind} tone-${tone}` }), name),
    ),
  );
}

/**
 * Shows how many rows a point represents, if more than one, and the other notes.
 *
 * @param {HTMLElement} place
 * @param {DrawnChart} what
 * @param {import("./charts/layout.js").Layout} layout
 */
function showNotes(place, what, { size, points }) {
  const thinned =
    points === what.count
      ? null
      : what.axis.kind === "category"
        ? `Drawn: the ${number(points)} largest of ${number(what.count)}; the table has all.`
        : `Each point is the sum of ${number(size)} ${what.axis.interval}s; the table has all ` +
          `${number(what.count)} rows.`;
  replace(place, [thinned, ...(what.notes ?? [])].filter(Boolean).join(" "));
}

/**
 * Returns the same numbers, with times in machine-readable form.
 *
 * @param {DrawnChart} what
 */
function csvOf({ column, count, machineOf, series }) {
  /** @type {(string | number | null)[][]} */
  const rows = [[column, ...series.map(({ name }) => name)]];
  for (let row = 0; row < count; row += 1) {
    rows.push([machineOf(row), ...series.map(({ values }) => values[row])]);
  }
  return toCsv(rows);
}
