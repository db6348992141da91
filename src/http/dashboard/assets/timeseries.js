// The card with the timeseries: which days, how finely divided, by whose clocks, against what.

import { chart } from "./charts.js";
import { h, replace } from "./dom.js";
import { picker } from "./fields.js";
import { changed, count, number, points } from "./format.js";
import {
  INTERVALS,
  PERIODS,
  bucketName,
  markName,
  rangeName,
  zones,
} from "./periods.js";
import { load } from "./states.js";
import { seriesSource } from "./timeseries-data.js";
import { chosenView, keepView } from "./timeseries-view.js";

const MEASURES = [
  { field: "signups", label: "Signups", tone: "signups" },
  { field: "pointsMinted", label: "Points minted", tone: "minted" },
  { field: "pointsSpent", label: "Points spent", tone: "spent" },
];
/** The clock goes on, even where nothing happens. */
const REFRESH_MS = 60000;

/** `after` is a promise: what the page shows first. */
export function timeseriesCard(view, after) {
  const choice = chosenView(
    view.query,
    MEASURES.map(({ field }) => field),
  );
  const controls = h("div", { class: "controls" });
  const place = h("div", { class: "timeseries" });
  const series = seriesSource();
  const shown = content(view.context.symbol, (measure) => change({ measure }));
  let again = () => {};
  const change = (part) => {
    const isOfPicture = Object.keys(part).every((name) => name === "measure");
    Object.assign(choice, part);
    keepView(choice);
    if (isOfPicture) return shown.choose(choice.measure);
    showControls(controls, choice, change);
    again();
  };
  showControls(controls, choice, change);
  again = load(
    place,
    async () => {
      await after;
      return series(choice);
    },
    (data) => shown.update(data, choice.measure),
    8,
  );
  view.live(
    () => again(),
    (name) => name === "member.created" || name.startsWith("wallet."),
  );
  const timer = setInterval(() => document.hidden || again(), REFRESH_MS);
  view.signal.addEventListener("abort", () => clearInterval(timer));
  return h(
    "section",
    { class: "card", "aria-labelledby": "activity-title" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { class: "card-title", id: "activity-title" }, "Activity"),
      controls,
    ),
    place,
  );
}

function showControls(place, choice, change) {
  const periods = PERIODS.map(({ id, label }) => [id, label]);
  const choosePeriod = (period) =>
    change({ period, interval: PERIODS.find(({ id }) => id === period).interval });
  replace(
    place,
    focusable("period", picker("Window", periods, choice.period, choosePeriod)),
    choice.period === "custom" && [
      focusable(
        "first",
        dateField("From", choice.first, choice.last, (first) => change({ first })),
      ),
      focusable(
        "last",
        dateField("To", choice.last, null, (last) => {
          change({ last, first: choice.first > last ? last : choice.first });
        }),
      ),
    ],
    focusable(
      "interval",
      picker("By", Object.entries(INTERVALS), choice.interval, (interval) => change({ interval })),
    ),
    focusable(
      "zone",
      picker("Time zone", zones(), choice.zone, (zone) => change({ zone })),
    ),
    focusable(
      "compares",
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          checked: choice.compares,
          onchange: ({ target }) => change({ compares: target.checked }),
        }),
        "Compare with the period before",
      ),
    ),
  );
}

function focusable(name, element) {
  element.querySelector("input, select").dataset.focus = `timeseries-${name}`;
  return element;
}

function dateField(text, value, max, onchange) {
  const input = h("input", { type: "date", value, max, required: true });
  input.addEventListener("change", () => input.value && onchange(input.value));
  return h("label", { class: "picker" }, h("span", {}, text), input);
}

/** The buttons of the measures and the chart, made once: `{ update(data, measure), choose }`. */
function content(symbol, choose) {
  const buttons = MEASURES.map((measure) => measureButton(measure, () => choose(measure.field)));
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "measures", role: "group", "aria-label": "What the chart shows" },
      buttons.map((button) => button.element),
    ),
  );
  let data = null;
  let drawn = null;
  const show = (field) => {
    buttons.forEach((button, at) => button.press(MEASURES[at].field === field));
    const measure = MEASURES.find((each) => each.field === field);
    const what = drawing(data, measure, symbol);
    if (drawn) return drawn.update(what);
    drawn = chart(what);
    element.append(drawn.element);
  };
  return {
    update(next, field) {
      data = next;
      buttons.forEach((button) => button.show(data));
      show(field);
      return element;
    },
    choose: (field) => data && show(field),
  };
}

function measureButton({ field, label, tone }, onclick) {
  const value = h("span", { class: "measure-value" });
  const note = h("span", { class: "measure-note" });
  const element = h(
    "button",
    {
      class: `measure measure-${tone}`,
      type: "button",
      "aria-pressed": "false",
      "data-focus": `measure-${field}`,
      "data-measure": field,
      onclick,
    },
    h("span", { class: "measure-label" }, label),
    value,
    note,
  );
  const sum = (rows) => rows.reduce((total, row) => total + (row?.[field] ?? 0), 0);
  return {
    element,
    press: (isPressed) => element.setAttribute("aria-pressed", String(isPressed)),
    show({ now, beside }) {
      value.textContent = number(sum(now));
      note.hidden = !beside;
      if (!beside) return;
      const moved = changed(sum(now), sum(beside));
      note.textContent = moved
        ? `${moved} against ${number(sum(beside))} before`
        : "nothing before to compare";
    },
  };
}

function drawing(data, { field, label, tone }, symbol) {
  const { now, beside, openAt, bounds, interval, zone, walls } = data;
  const unit = field === "signups" ? "members" : symbol;
  const starts = now.map(({ startTime }) => startTime);
  // An hour that the clocks show twice.
  const isTwice = (row) => [row - 1, row + 1].some((other) => walls[other] === walls[row]);
  const nameOf = (row) => bucketName(starts[row], zone, interval, isTwice(row));
  const values = now.map((row) => row[field]);
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

/** What stands beside some rows. */
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

/** What is compared with what, and what is not compared because the calendar has no place for it. */
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
