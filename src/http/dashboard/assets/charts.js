// Charts. The numbers are on the page first, as a table; the library that draws comes afterwards.

import { h, replace } from "./dom.js";
import { number } from "./format.js";

let loading;

/** The library, fetched when the first chart is drawn and kept by the browser for good. */
function library() {
  loading ??= new Promise((resolve, reject) => {
    const source = document.querySelector('meta[name="chart-library"]').content;
    const script = h("script", { src: source, async: true });
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => {
      loading = undefined;
      reject(new Error("the chart library could not be loaded"));
    });
    document.head.append(script);
  });
  return loading;
}

/**
 * A chart with its numbers: `{ title, summary, file, column, x, names, series }`. A series is
 * `{ name, values, tone, kind }` with `kind` `bar` or `line`; `x` is where its values stand, and
 * `names` how the table calls those places.
 */
export function chart(what) {
  const plot = h("div", {
    class: "plot",
    role: "img",
    "aria-label": `${what.title}. ${what.summary}`,
  });
  const png = h("button", { class: "button button-small", type: "button", disabled: true }, "PNG");
  png.addEventListener("click", () => savePicture(plot, what.file));
  const csv = h("button", { class: "button button-small", type: "button" }, "CSV");
  csv.addEventListener("click", () => saveText(`${what.file}.csv`, toCsv(what)));
  const figure = h(
    "figure",
    { class: "chart" },
    plot,
    h(
      "figcaption",
      { class: "chart-foot" },
      h("details", {}, h("summary", {}, "Show as a table"), numbers(what)),
      h("span", { class: "downloads" }, h("span", { class: "hint" }, "Download"), csv, png),
    ),
  );
  const redraw = () => {
    if (!figure.isConnected) return document.removeEventListener("themechange", redraw);
    draw(plot, what).then(
      () => {
        png.disabled = false;
      },
      () =>
        replace(
          plot,
          h(
            "p",
            { class: "hint plot-missing" },
            "The chart could not be drawn; the table has its numbers.",
          ),
        ),
    );
  };
  document.addEventListener("themechange", redraw);
  requestAnimationFrame(redraw);
  return figure;
}

function numbers({ title, column, names, series }) {
  const heads = [column, ...series.map(({ name }) => name)];
  return h(
    "div",
    { class: "table-frame table-tall", tabindex: "0", role: "region", "aria-label": title },
    h(
      "table",
      {},
      h("caption", { class: "hidden" }, title),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head, at) => h("th", { scope: "col", class: at ? "number" : null }, head)),
        ),
      ),
      h(
        "tbody",
        {},
        names.map((name, at) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            series.map(({ values }) => h("td", { class: "number" }, number(values[at] ?? 0))),
          ),
        ),
      ),
    ),
  );
}

async function draw(plot, { x, names, series, isCategory }) {
  const Plotly = await library();
  const color = paletteOf(plot);
  const traces = series.map(({ name, values, tone, kind }) => ({
    name,
    x,
    y: values,
    customdata: names,
    type: kind === "bar" ? "bar" : "scatter",
    mode: "lines",
    hovertemplate: `%{customdata}<br>%{y:,} ${name}<extra></extra>`,
    marker: { color: color(tone), cornerradius: 3 },
    line: { color: color(tone), width: 2, dash: kind === "line" ? "dot" : "solid", shape: "hvh" },
  }));
  const top = Math.max(1, ...series.flatMap(({ values }) => values));
  const axis = {
    color: color("muted"),
    gridcolor: color("line"),
    zeroline: false,
    fixedrange: true,
  };
  const layout = {
    height: 280,
    margin: { l: 48, r: 8, t: 8, b: 36 },
    bargap: x.length > 4 ? 0.25 : 0.6,
    hovermode: "closest",
    paper_bgcolor: color("surface"),
    plot_bgcolor: color("surface"),
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: color("muted") },
    showlegend: series.length > 1,
    legend: { orientation: "h", x: 0, y: 1.16 },
    xaxis: { ...axis, showgrid: false, type: isCategory ? "category" : "date" },
    yaxis: {
      ...axis,
      rangemode: "tozero",
      nticks: 6,
      tickformat: top < 10000 ? ",d" : ",~s",
      dtick: top <= 5 ? 1 : undefined,
    },
    hoverlabel: {
      bgcolor: color("ink"),
      font: { color: color("surface") },
      bordercolor: color("ink"),
    },
  };
  await Plotly.react(plot, traces, layout, { displayModeBar: false, responsive: true });
}

/** The page's colors as the browser resolves them, so that the chart follows light and dark. */
function paletteOf(plot) {
  const probe = h("span", { hidden: true });
  plot.parentElement.append(probe);
  const resolved = {};
  for (const name of ["ink", "muted", "line", "surface", "signups", "minted", "spent", "before"]) {
    probe.style.color = `var(--${name})`;
    resolved[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return (name) => resolved[name];
}

async function savePicture(plot, file) {
  const Plotly = await library();
  const { clientWidth: width, clientHeight: height } = plot;
  save(`${file}.png`, await Plotly.toImage(plot, { format: "png", width, height, scale: 2 }));
}

/** The same numbers, but with times as machines write them. */
function toCsv({ column, x, series }) {
  const rows = [
    [column, ...series.map(({ name }) => name)],
    ...x.map((place, at) => [place, ...series.map(({ values }) => values[at] ?? 0)]),
  ];
  return rows.map((row) => row.map(cell).join(",")).join("\r\n");
}

/** Where a spreadsheet would begin to run a text, as src/cli/tables.rs has it. */
const RUN = /^(?=[\t\r]|[\s"']*[=+\-@＝＋－＠])|(?<=[;\t\r\n])(?=[^\S\t\r\n"']*[ "']*[=+\-@＝＋－＠])/g;

/** A cell of CSV. What a spreadsheet would take for a formula is made text; numbers stay numbers. */
function cell(value) {
  const text = typeof value === "string" ? value.replace(RUN, "'") : String(value);
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function saveText(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  save(name, url);
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function save(name, url) {
  const anchor = h("a", { href: url, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
