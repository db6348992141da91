// A chart that can be explored by pointer, by touch and by the arrow keys.

import { h, replace } from "../dom.js";
import { drawing } from "./drawing.js";
import { layOut } from "./layout.js";

/**
 * @typedef {import("../../../types").DrawnChart} DrawnChart
 * @typedef {import("./layout.js").Layout} Layout
 * @typedef {object} State
 * @property {DrawnChart | null} what
 * @property {Layout | null} layout
 * @property {number} width
 * @property {number | null} at the point that is pointed at
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {ReturnType<typeof drawing>} picture
 * @property {HTMLElement} tip
 * @property {State} state
 * @property {((layout: Layout) => void) | undefined} onDraw
 */

export const HEIGHT = 280;

/**
 * `{ element, update(what) }`. An update keeps the selected point. `onDraw` is called with every
 * layout, also after a change of the width.
 *
 * @param {(layout: Layout) => void} [onDraw]
 */
export function plot(onDraw) {
  const picture = drawing();
  const tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });
  const element = h(
    "div",
    {
      class: "plot",
      tabindex: "0",
      // The arrow keys move it and a screen reader speaks it, so it is a slider; it is named a
      // chart.
      role: "slider",
      "aria-roledescription": "chart",
      "data-focus": "plot",
    },
    picture.element,
    tip,
  );
  /** @type {State} */
  const state = { what: null, layout: null, width: 0, at: null };
  /** @type {View} */
  const view = { element, picture, tip, state, onDraw };
  followPointer(view);
  followKeys(view);
  const resized = new ResizeObserver(() => {
    const width = Math.round(element.clientWidth);
    if (width === 0 || width === state.width) return;
    state.width = width;
    draw(view);
  });
  resized.observe(element);
  return {
    element,
    /** @param {DrawnChart} what */
    update(what) {
      const kept = state.at === null ? null : keyAt(state, state.at);
      state.what = what;
      state.width ||= Math.round(element.clientWidth);
      if (state.width > 0) draw(view, kept);
      element.setAttribute("aria-label", `${what.title}. ${what.summary}`);
    },
  };
}

/**
 * @param {View} view
 * @param {any} kept the key of the point that is pointed at, if known
 */
function draw(view, kept = null) {
  const { picture, state } = view;
  if (!state.what) return;
  const key = kept ?? (state.at === null ? null : keyAt(state, state.at));
  state.layout = layOut(state.what, state.width, HEIGHT);
  picture.show(state.layout, { width: state.width, height: HEIGHT, unit: state.what.unit });
  view.onDraw?.(state.layout);
  const last = state.layout.points - 1;
  if (key === null || last < 0 || keyAt(state, 0) > key) {
    point(view, null);
    return;
  }
  let at = last;
  while (at > 0 && keyAt(state, at) > key) at -= 1;
  point(view, at);
}

/**
 * Returns the key of a point, which does not depend on its number: keys rise from point to point.
 *
 * @param {State} state
 * @param {number} at
 */
const keyAt = ({ what, layout }, at) => layout && what?.keyOf(layout.rowsOf(at)[0]);

/**
 * Points at a point, or at none.
 *
 * @param {View} view
 * @param {number | null} at
 */
function point(view, at) {
  const { element, picture, tip, state } = view;
  const { what, layout } = state;
  if (!what || !layout) return;
  state.at = at;
  picture.point(layout, at);
  const last = Math.max(0, layout.points - 1);
  const shown = at ?? last;
  const said = layout.points > 0 ? wordsOf(what, layout, shown) : { name: "", lines: [] };
  element.setAttribute("aria-valuemin", "0");
  element.setAttribute("aria-valuemax", `${last}`);
  element.setAttribute("aria-valuenow", `${shown}`);
  const text = [said.name, ...said.lines.map(({ text: line }) => line)].join("; ");
  element.setAttribute("aria-valuetext", text);
  tip.hidden = at === null;
  if (at === null) return;
  replace(
    tip,
    h("strong", {}, said.name),
    said.lines.map(({ tone, kind, text: line }) =>
      h("span", {}, tone && h("i", { class: `swatch swatch-${kind} tone-${tone}` }), line),
    ),
  );
  // Next to the point, where there is more room. Nothing is measured, as that would force a layout.
  const before = layout.area.left + at * layout.band - 8;
  const after = state.width - before - layout.band - 16;
  const isAfter = after >= before;
  tip.style.left = isAfter ? `${Math.round(state.width - after)}px` : "auto";
  tip.style.right = isAfter ? "auto" : `${Math.round(state.width - before)}px`;
  tip.style.maxWidth = `${Math.min(320, Math.round(Math.max(before, after)))}px`;
}

/**
 * Returns the text of a point: its name, and a line for each series.
 *
 * @param {DrawnChart} what
 * @param {Layout} layout
 * @param {number} at
 * @returns {{ name: string, lines: { tone: string | null, kind?: string, text: string }[] }}
 */
function wordsOf(what, layout, at) {
  const [first, last] = layout.rowsOf(at);
  /** @type {{ tone: string | null, kind?: string, text: string }[]} */
  const lines = layout.series.map(({ name, values, unit, tone, kind, noteOf }) => {
    const value = values[at];
    const amount = value === null ? "none" : `${what.formatWhole(value)} ${unit}`;
    const note = noteOf?.(first, last);
    return { tone, kind, text: `${name}: ${amount}${note ? ` (${note})` : ""}` };
  });
  if (at === layout.openAt) lines.push({ tone: null, text: what.openText });
  return { name: what.rangeOf(first, last), lines };
}

/** @param {View} view */
function followPointer(view) {
  const { element, state } = view;
  const move = (/** @type {PointerEvent} */ event) => {
    if (!state.layout || state.layout.points === 0) return;
    const { area, band, points } = state.layout;
    const x = event.clientX - element.getBoundingClientRect().left - area.left;
    const at = Math.max(0, Math.min(points - 1, Math.floor(x / band)));
    if (at !== state.at) point(view, at);
  };
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerdown", move);
  element.addEventListener("pointerleave", ({ pointerType }) => {
    // After the finger is lifted, the point stays visible.
    if (pointerType === "mouse" && state.layout) point(view, null);
  });
  element.addEventListener("blur", () => state.layout && point(view, null));
}

/** @param {View} view */
function followKeys(view) {
  const { element, state } = view;
  element.addEventListener("keydown", (event) => {
    if (!state.layout || event.altKey || event.ctrlKey || event.metaKey) return;
    const last = state.layout.points - 1;
    const at = state.at ?? last + 1;
    const page = Math.max(1, Math.round(last / 10));
    /** @type {Record<string, number>} */
    const places = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: state.at === null ? last : at + 1,
      ArrowUp: state.at === null ? last : at + 1,
      PageUp: at - page,
      PageDown: at + page,
      Home: 0,
      End: last,
    };
    const to = places[event.key];
    if (event.key === "Escape" && state.at !== null) {
      event.stopPropagation();
      point(view, null);
    } else if (to !== undefined && last >= 0) {
      event.preventDefault();
      point(view, Math.max(0, Math.min(last, to)));
    }
  });
}
