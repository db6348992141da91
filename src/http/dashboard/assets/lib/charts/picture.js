// A chart as a PNG, with its title, its period and the names of its series.

import { svg } from "../dom.js";
import { drawing } from "./drawing.js";
import { layOut } from "./layout.js";

const WIDTH = 960;
const HEIGHT = 420;
const HEAD = 92;
const MARGIN = 24;
const SCALE = 2;
/** Styles of a drawing that are written into it, because a picture has no style sheets. */
const COPIED = [
  ...["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin"],
  ...["font-family", "font-size", "font-weight", "text-anchor", "visibility"],
];

/** @typedef {import("../../../types").DrawnChart} DrawnChart */

/**
 * Returns a PNG as a `data:` URL, in the page's colors at `place`.
 *
 * @param {DrawnChart} what
 * @param {Element} place
 */
export async function pngOf(what, place) {
  const sheet = sheetOf(what);
  place.append(sheet);
  try {
    for (const element of sheet.querySelectorAll("*")) {
      const style = getComputedStyle(element);
      for (const name of COPIED) element.setAttribute(name, style.getPropertyValue(name));
    }
    return await rendered(sheet);
  } finally {
    sheet.remove();
  }
}

/** @param {DrawnChart} what */
function sheetOf(what) {
  const picture = drawing();
  const size = { width: WIDTH, height: HEIGHT, unit: what.unit };
  picture.show(layOut(what, WIDTH, HEIGHT), size);
  picture.element.setAttribute("x", `${MARGIN}`);
  picture.element.setAttribute("y", `${HEAD}`);
  let x = MARGIN;
  const legend = what.legend.map(({ name, kind, tone }) => {
    const at = x;
    x += 48 + name.length * 7;
    const d = kind === "line" ? `M${at} 76H${at + 16}` : `M${at + 1} 81V70H${at + 13}V81Z`;
    return [
      svg("path", { class: `plot-${kind} tone-${tone}`, d }),
      svg("text", { class: "plot-text", x: at + 22, y: 80 }, name),
    ];
  });
  const width = WIDTH + 2 * MARGIN;
  const height = HEAD + HEIGHT + MARGIN;
  return svg(
    "svg",
    { class: "plot-sheet", width, height, viewBox: `0 0 ${width} ${height}` },
    svg("rect", { class: "plot-paper", width, height }),
    svg("text", { class: "plot-title", x: MARGIN, y: 34 }, what.title),
    svg("text", { class: "plot-text", x: MARGIN, y: 54 }, what.period),
    legend,
    picture.element,
  );
}

/** @param {SVGElement} sheet */
async function rendered(sheet) {
  const source = new XMLSerializer().serializeToString(sheet);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Number(sheet.getAttribute("width")) * SCALE;
  canvas.height = Number(sheet.getAttribute("height")) * SCALE;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("the browser has no canvas to draw on");
  pen.scale(SCALE, SCALE);
  pen.drawImage(image, 0, 0);
  return canvas.toDataURL("image/png");
}
