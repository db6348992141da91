// A measure of the timeseries as a chart: names, units, the unfinished bucket, the comparison.

import { count, points } from "../../lib/format.js";
import { bucketName, markName, rangeName } from "../../lib/periods.js";

/**
 * Returns the description of a measure for charts.js.
 *
 * @returns {import("../../../types").Chart}
 */
export function drawingOf(data, { field, label, tone }, symbol) {
  const { now, beside, openAt, bounds, interval, zone, walls } = data;
  const unit = field === "signups" ? "members" : symbol;
  const starts = now.map(({ startTime }) => startTime);
  // An hour that the clocks show twice.
  const isTwice = (row) => [row - 1, row + 1].some((other) => walls[other] === walls[row]);
  const nameOf = (row) => bucketName(starts[row], zone, interval, isTwice(row));
  const values = now.map((row) => row[field]);
  /** @type {import("../../../types").ChartSeries[]} */
  const series = [{ name: label.toLowerCase(), values, tone, kind: "bar", unit }];
  if (beside) {
    series.push({
      name: "before",
      values: beside.map((row) => row && row[field]),
      tone: "before",
      kind: "line",
      unit,
      noteOf: (first, last) => besideName(data, first, last),
    });
  }
  const period = rangeName(bounds.from, now.at(-1).endTime, zone, "day");
  return {
    title: `${label} by ${interval}`,
    period: `${period} · ${zone}`,
    summary: summaryOf({ period, values, nameOf, unit }),
    file: `stampcard-${field}-${interval}`,
    column: `From (${zone})`,
    unit,
    count: now.length,
    keyOf: (row) => starts[row],
    nameOf,
    rangeOf: (first, last) =>
      first === last && isTwice(first)
        ? nameOf(first)
        : rangeName(starts[first], now[last].endTime, zone, interval),
    tickOf: (row, mark, isFirst) => markName(starts[row], zone, mark, isFirst),
    machineOf: (row) => new Date(walls[row]).toISOString().slice(0, 16).replace("T", " "),
    axis: { kind: "time", walls, interval },
    series,
    openAt,
    openText: "not finished",
    notes: beside ? notesOf(data, field, unit) : [],
  };
}

/** Notes next to some rows. */
function besideName({ beside, openAt, bounds, interval, zone }, first, last) {
  const rows = beside.slice(first, last + 1).filter(Boolean);
  if (rows.length === 0) return null;
  const isCut = first <= openAt && openAt <= last && rows.at(-1).endTime === bounds.until;
  const name = rangeName(rows[0].startTime, rows.at(-1).endTime, zone, interval);
  return isCut ? `${name}, up to the same time` : name;
}

function summaryOf({ period, values, nameOf, unit }) {
  const all = `${period}, ${count(values.length, "value")}`;
  let most = 0;
  values.forEach((value, at) => {
    if (value > values[most]) most = at;
  });
  if (!values[most]) return `${all}, none of them above 0.`;
  return `${all}. The most: ${points(values[most], unit)}, ${nameOf(most)}.`;
}

/** Describes the comparison, and the rows without a counterpart. */
function notesOf({ bounds, left, interval, zone }, field, unit) {
  const { before, until, isOver } = bounds;
  if (until <= before) return [];
  const notes = [`Before: ${rangeName(before, until, zone, "day")}`];
  notes[0] += isOver ? "." : ", up to the same time.";
  const sum = left.reduce((total, row) => total + row[field], 0);
  if (sum > 0) {
    const names = left.slice(0, 3).map(({ startTime }) => bucketName(startTime, zone, interval));
    notes.push(
      `Not compared, as no ${interval} here matches it: ${names.join(", ")}` +
        `${left.length > names.length ? ", …" : ""} (${points(sum, unit)}).`,
    );
  }
  return notes;
}
