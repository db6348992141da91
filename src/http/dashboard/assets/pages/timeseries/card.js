// The card with the timeseries: period, interval, time zone, comparison.

import { chart } from "../../lib/charts.js";
import { h, replace } from "../../lib/dom.js";
import { picker } from "../../lib/fields.js";
import { changed, number } from "../../lib/format.js";
import { INTERVALS, PERIODS, dayIn, rangeName, zones } from "../../lib/periods.js";
import { load } from "../../lib/states.js";
import { seriesSource } from "./data.js";
import { drawingOf } from "./drawing.js";
import { chosenView, keepView } from "./view.js";

const MEASURES = [
  { field: "signups", label: "Signups", tone: "signups" },
  { field: "pointsMinted", label: "Points minted", tone: "minted" },
  { field: "pointsSpent", label: "Points spent", tone: "spent" },
];
/** The clock advances, even without events. */
const REFRESH_MS = 60000;

export function timeseriesCard(view) {
  const choice = chosenView(
    view.query,
    MEASURES.map(({ field }) => field),
  );
  const controls = h("div", { class: "controls" });
  const place = h("div", { class: "timeseries" });
  const series = seriesSource();
  const shown = content(view.context.symbol, (part) => change(part));
  const change = (part) => {
    const isOfPicture = Object.keys(part).every((name) => name === "measure");
    Object.assign(choice, part);
    keepView(choice);
    if (isOfPicture) return shown.choose(choice.measure);
    showControls(controls, choice, change);
    again();
  };
  showControls(controls, choice, change);
  const again = load(
    place,
    () => series(choice),
    (data) => shown.update(data, choice.measure),
    8,
  );
  view.live(
    async (events) => {
      await series.hear(events);
      again.live();
    },
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
    change({ period, interval: PERIODS.find(({ id }) => id === period)?.interval });
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

/** The buttons of the measures and the chart, created once: `{ update(data, measure), choose }`. */
function content(symbol, change) {
  const buttons = MEASURES.map((measure) =>
    measureButton(measure, () => change({ measure: measure.field })),
  );
  const ahead = h("p", { class: "hint ahead" });
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "measures", role: "group", "aria-label": "What the chart shows" },
      buttons.map((button) => button.element),
    ),
    ahead,
  );
  let data = null;
  let drawn = null;
  const show = (field) => {
    buttons.forEach((button, at) => button.press(MEASURES[at].field === field));
    const measure = MEASURES.find((each) => each.field === field) ?? MEASURES[0];
    const what = drawingOf(data, measure, symbol);
    if (drawn) return drawn.update(what);
    drawn = chart(what);
    element.append(drawn.element);
  };
  return {
    update(next, field) {
      data = next;
      buttons.forEach((button) => button.show(data));
      replace(ahead, aheadNote(data, change));
      show(field);
      return element;
    },
    choose: (field) => data && show(field),
  };
}

/** A note about a sandbox clock that was moved: its activity is outside of the usual windows. */
function aheadNote({ ahead, zone }, change) {
  if (!ahead) return null;
  const [first, last] = [dayIn(ahead.from, zone), dayIn(ahead.to - 1, zone)];
  return [
    "The program's clock is ahead of this computer's. Its newest activity is of ",
    `${rangeName(ahead.from, ahead.to, zone, "day")}. `,
    h(
      "button",
      {
        class: "button button-small",
        type: "button",
        "data-focus": "timeseries-ahead",
        onclick: () => change({ period: "custom", interval: "day", first, last }),
      },
      "Show it",
    ),
  ];
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
