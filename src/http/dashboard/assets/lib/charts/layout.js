// Positions in a drawing: numbers and texts of axes, paths of bars and lines.

import { timeTicks, valueTicks } from "./scale.js";
import { group, pointsIn, sums } from "./thin.js";

/** How far inside a bar the outline of an unfinished one runs. */
const RIM = 0.75;
const TOP = 24;
const BOTTOM = 28;
const RIGHT = 10;
/** The approximate width of a character on an axis. */
const CHARACTER = 6.6;
/** @type {Record<string, number>} */
const TICK_ROOM = { hour: 62, day: 64, month: 68, year: 60 };
/** The width that a category needs to have its name below it. */
const CATEGORY_ROOM = 76;

/**
 * @typedef {import("../../../types").DrawnChart} DrawnChart
 * @typedef {import("../../../types").ChartSeries} ChartSeries
 * @typedef {{ left: number, right: number, top: number, bottom: number }} Area
 * @typedef {{ x: number, label: string, isEdge?: boolean }} Mark
 * @typedef {{ kind: string, tone: string, done: string, open: string }} Shape
 * @typedef {{ x: (at: number) => number, y: (value: number) => number }} Scales
 * @typedef {ReturnType<typeof layOut>} Layout
 */

/**
 * Lays out `what` in a given number of pixels: the shapes, and where the pointer finds its points.
 *
 * @param {DrawnChart} what
 * @param {number} width
 * @param {number} height
 */
export function layOut(what, width, height) {
  const { starts, size, rows } = pointsOf(what, width);
  const series = what.series.map((each) => ({
    ...each,
    values: sums(rows ? rows.map((row) => each.values[row]) : each.values, starts),
  }));
  const points = starts.length - 1;
  const top = Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const values = valueTicks(top);
  const end = values[values.length - 1];
  const labels = values.map((value) => what.format(value, end));
  const left = 12 + CHARACTER * Math.max(...labels.map((label) => label.length));
  const area = { left, right: width - RIGHT, top: TOP, bottom: height - BOTTOM };
  const band = (area.right - area.left) / Math.max(1, points);
  const scale = (area.bottom - area.top) / end;
  const y = (/** @type {number} */ value) => area.bottom - value * scale;
  const x = (/** @type {number} */ at) => area.left + at * band;
  const openAt = what.openAt < 0 ? -1 : starts.findLastIndex((start) => start <= what.openAt);
  const bars = series.filter(({ kind }) => kind === "bar").length;
  return {
    area,
    band,
    size,
    points,
    series,
    openAt: openAt < points ? openAt : -1,
    rowsOf: (/** @type {number} */ at) =>
      rows ? [rows[at], rows[at]] : [starts[at], starts[at + 1] - 1],
    lines: values.map((value, at) => ({ y: y(value), label: labels[at] })),
    marks: marksOf(what, { starts, rows, band, x, area }),
    shapes: shapesOf(series, { x, y, band, bars, openAt }),
  };
}

/**
 * Returns the points to draw: groups of rows, or as many categories as there is room for.
 *
 * @param {DrawnChart} what
 * @param {number} width
 */
function pointsOf({ count, axis, series }, width) {
  if (axis.kind === "time") {
    const walls = axis.walls.slice(0, count);
    return { ...group(walls, axis.interval, pointsIn(width, series.length)), rows: null };
  }
  const room = Math.min(40, Math.max(3, Math.floor(width / (CATEGORY_ROOM / 2))));
  const total = (/** @type {number} */ row) =>
    series.reduce((sum, { values }) => sum + (values[row] ?? 0), 0);
  const all = Array.from({ length: count }, (_, row) => row);
  const most = count > room ? all.sort((a, b) => total(b) - total(a)).slice(0, room) : all;
  return { size: 1, starts: Array.from({ length: most.length + 1 }, (_, at) => at), rows: most };
}

/**
 * @param {DrawnChart} what
 * @param {{ starts: number[], rows: number[] | null, band: number, x: Scales["x"], area: Area }} place
 * @returns {Mark[]}
 */
function marksOf({ axis, nameOf, tickOf }, { starts, rows, band, x, area }) {
  if (axis.kind === "time") {
    const walls = starts.slice(0, -1).map((start) => axis.walls[start]);
    const unit = axis.interval === "week" ? "day" : axis.interval;
    const { unit: shown, at } = timeTicks(
      walls,
      axis.interval,
      Math.floor((area.right - area.left) / TICK_ROOM[unit]),
    );
    // Below a few wide bars the name is centered, below many it is at the beginning.
    const offset = band > TICK_ROOM[shown] || shown === axis.interval ? band / 2 : 0;
    const placed = at.map((index, nth) => ({
      x: x(index) + offset,
      isEdge: offset === 0,
      label: tickOf?.(starts[index], shown, nth === 0) ?? "",
    }));
    return apart(placed, area.right + RIGHT);
  }
  const every = Math.ceil(CATEGORY_ROOM / band);
  const most = Math.max(4, Math.floor((band * every) / CHARACTER) - 1);
  return (rows ?? [])
    .map((row, at) => ({ x: x(at) + band / 2, label: shortened(nameOf(row), most) }))
    .filter((_, at) => at % every === 0);
}

/**
 * Leaves out marks that would overlap the one before, or go past the end.
 *
 * @param {Mark[]} marks
 * @param {number} end
 */
function apart(marks, end) {
  let free = 0;
  return marks.filter(({ x, label }) => {
    const half = (label.length * CHARACTER) / 2;
    if (x - half < free || x + half > end) return false;
    free = x + half + CHARACTER;
    return true;
  });
}

/**
 * @param {string} text
 * @param {number} most
 */
function shortened(text, most) {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}

/**
 * Returns each series as paths: the finished part, and the unfinished one.
 *
 * @param {ChartSeries[]} series
 * @param {Scales & { band: number, bars: number, openAt: number }} place
 * @returns {Shape[]}
 */
function shapesOf(series, { x, y, band, bars, openAt }) {
  let nth = -1;
  return series.map(({ kind, tone, values }) => {
    if (kind === "bar") {
      nth += 1;
      const place = { x, y, ...barRoom(band, bars, nth) };
      return {
        kind,
        tone,
        done: values.map((value, at) => (at === openAt ? "" : barPath(value, at, place))).join(""),
        open: openAt < 0 ? "" : barPath(values[openAt] || 0, openAt, place, RIM),
      };
    }
    return { kind, tone, done: stepPath(values, { x, y }, kind === "area"), open: "" };
  });
}

/**
 * Returns how far into its band a bar begins, and its width; several bars are side by side.
 *
 * @param {number} band
 * @param {number} bars
 * @param {number} nth
 */
function barRoom(band, bars, nth) {
  const gap = band < 3 ? 0 : Math.min(band * 0.3, 28);
  const width = Math.min((band - gap) / bars, 64);
  return { inset: (band - width * bars) / 2 + nth * width, width: width - (bars > 1 ? 1 : 0) };
}

/**
 * @param {number | null} value
 * @param {number} at
 * @param {Scales & { inset: number, width: number }} place
 */
function barPath(value, at, { x, y, inset, width }, rim = 0) {
  if (!value && !rim) return "";
  const left = round(x(at) + inset + rim);
  const right = round(x(at) + inset + width - rim);
  // A small value is still visible, and an empty unfinished bar shows that more may come.
  const top = round(Math.min(y(value ?? 0) + rim, y(0) - (rim > 0 ? 4 : 1)));
  return `M${left} ${round(y(0))}V${top}H${right}V${round(y(0))}Z`;
}

/**
 * Returns a line in steps, interrupted where there is no value; as an area, closed along the axis.
 *
 * @param {(number | null)[]} values
 * @param {Scales} scales
 * @param {boolean} isArea
 */
function stepPath(values, { x, y }, isArea) {
  let path = "";
  let isDrawing = false;
  values.forEach((value, at) => {
    if (value === null) {
      if (isDrawing && isArea) path += `V${round(y(0))}Z`;
      isDrawing = false;
      return;
    }
    if (!isDrawing) path += `M${round(x(at))} ${round(isArea ? y(0) : y(value))}`;
    path += `V${round(y(value))}H${round(x(at + 1))}`;
    isDrawing = true;
  });
  return isDrawing && isArea ? `${path}V${round(y(0))}Z` : path;
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
