// The SVG of a chart. It is created once; changes update its elements.

import { replace, svg } from "../dom.js";

/**
 * @typedef {import("./layout.js").Layout} Layout
 * @typedef {{ width: number, height: number, unit: string }} Size
 */

/** `{ element, show(layout, { width, height, unit }), point(layout, at) }`. */
export function drawing() {
  const grid = svg("g", { class: "plot-grid" });
  const unitText = svg("text", { class: "plot-text", x: 2, y: 12 });
  const marks = svg("g", { class: "plot-marks" });
  const cursor = svg("rect", { class: "plot-cursor", visibility: "hidden" });
  const shapes = svg("g", {});
  const element = svg(
    "svg",
    { class: "plot-drawing", "aria-hidden": "true", focusable: "false" },
    cursor,
    grid,
    shapes,
    unitText,
    marks,
  );
  return {
    element,
    /**
     * @param {Layout} layout
     * @param {Size} size
     */
    show(layout, { width, height, unit }) {
      set(element, { width, height, viewBox: `0 0 ${width} ${height}` });
      unitText.textContent = unit;
      showGrid(grid, layout);
      showMarks(marks, layout);
      showShapes(shapes, layout);
    },
    /**
     * Marks a point, or none.
     *
     * @param {Layout} layout
     * @param {number | null} at
     */
    point(layout, at) {
      if (at === null) return set(cursor, { visibility: "hidden" });
      const { area, band } = layout;
      const room = Math.max(band, 2);
      const x = area.left + at * band - (room - band) / 2;
      const height = area.bottom - area.top;
      set(cursor, { visibility: "visible", x, y: area.top, width: room, height });
    },
  };
}

/**
 * @param {SVGElement} place
 * @param {Layout} layout
 */
function showGrid(place, { area, lines }) {
  replace(
    place,
    lines.map(({ y, label }, at) => [
      svg("line", {
        class: at === 0 ? "plot-base" : "plot-rule",
        x1: area.left,
        x2: area.right,
        y1: Math.round(y) + 0.5,
        y2: Math.round(y) + 0.5,
      }),
      svg("text", { class: "plot-text is-value", x: area.left - 8, y: y + 4 }, label),
    ]),
  );
}

/**
 * @param {SVGElement} place
 * @param {Layout} layout
 */
function showMarks(place, { area, marks }) {
  replace(
    place,
    marks.map(({ x, label, isEdge }) => [
      isEdge &&
        svg("line", { class: "plot-base", x1: x, x2: x, y1: area.bottom, y2: area.bottom + 5 }),
      svg("text", { class: "plot-text is-mark", x, y: area.bottom + 19 }, label),
    ]),
  );
}

/**
 * @param {SVGElement} place
 * @param {Layout} layout
 */
function showShapes(place, { shapes }) {
  while (place.childElementCount > 2 * shapes.length) place.lastElementChild?.remove();
  while (place.childElementCount < 2 * shapes.length) place.append(svg("path"));
  shapes.forEach(({ kind, tone, done, open }, at) => {
    const [below, above] = [place.children[2 * at], place.children[2 * at + 1]];
    const shape = { class: `plot-${kind} tone-${tone}`, d: done };
    // Its outline makes a line visible on bars of any color.
    set(below, kind === "line" ? { class: "plot-halo", d: done } : shape);
    set(above, kind === "line" ? shape : { class: `plot-open tone-${tone}`, d: open });
  });
}

/**
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
}
