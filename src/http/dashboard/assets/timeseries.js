// The card with the timeseries: which days, how finely divided, by whose clocks, against what.

import { get } from "./api.js";
import { chart } from "./charts.js";
import { h, replace } from "./dom.js";
import { picker } from "./fields.js";
import { changed, number } from "./format.js";
import {
  INTERVALS,
  PERIODS,
  bucketName,
  boundsOf,
  dayIn,
  ownZone,
  shiftDays,
  wallTime,
  zones,
} from "./periods.js";
import { load } from "./states.js";

const MEASURES = [
  { field: "signups", label: "Signups", tone: "signups" },
  { field: "pointsMinted", label: "Points minted", tone: "minted" },
  { field: "pointsSpent", label: "Points spent", tone: "spent" },
];

export function timeseriesCard(view) {
  const today = dayIn(Date.now(), ownZone());
  const choice = {
    period: "30d",
    interval: "day",
    zone: ownZone(),
    measure: "pointsMinted",
    compares: true,
    first: shiftDays(today, -13),
    last: today,
  };
  const controls = h("div", { class: "controls" });
  const place = h("div", { class: "timeseries" });
  let again = () => {};
  const change = (part) => {
    Object.assign(choice, part);
    showControls(controls, choice, change);
    again();
  };
  showControls(controls, choice, change);
  again = load(
    place,
    () => fetchSeries(choice),
    (data) => render(data, choice, change),
    8,
  );
  view.live(
    () => again(),
    (name) => name === "member.created" || name.startsWith("wallet."),
  );
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

async function fetchSeries({ period, interval, zone, first, last, compares, measure }) {
  const { from, to, before } = boundsOf({ period, zone, first, last });
  const ask = (from, to) =>
    get("/v1/analytics/timeseries", { from, to, interval, tz: zone }).then(
      ({ buckets }) => buckets,
    );
  const [now, then] = await Promise.all([ask(from, to), compares ? ask(before, from) : null]);
  // What is chosen belongs to what is shown: another choice is another picture.
  return { now, then, measure, interval, zone };
}

function render({ now, then, measure, interval, zone }, choice, change) {
  const sum = (buckets, field) => buckets.reduce((total, bucket) => total + bucket[field], 0);
  const tabs = MEASURES.map(({ field, label, tone }) => {
    const total = sum(now, field);
    const moved = then && changed(total, sum(then, field));
    return h(
      "button",
      {
        class: `measure measure-${tone}`,
        type: "button",
        "aria-pressed": String(field === measure),
        "data-focus": `measure-${field}`,
        "data-measure": field,
        onclick: () => change({ measure: field }),
      },
      h("span", { class: "measure-label" }, label),
      h("span", { class: "measure-value" }, number(total)),
      then &&
        h(
          "span",
          { class: "measure-note" },
          moved
            ? `${moved} against ${number(sum(then, field))} before`
            : "nothing before to compare",
        ),
    );
  });
  return [
    h("div", { class: "measures", role: "group", "aria-label": "What the chart shows" }, tabs),
    drawing(
      { now, then, interval, zone },
      MEASURES.find(({ field }) => field === measure),
    ),
  ];
}

function drawing({ now, then, interval, zone }, { field, label, tone }) {
  const names = now.map(({ startTime }) => bucketName(startTime, zone, interval));
  const values = now.map((bucket) => bucket[field]);
  const top = Math.max(...values);
  const series = [{ name: label.toLowerCase(), values, tone, kind: "bar" }];
  if (then) {
    const earlier = now.map((_, at) => then[at]?.[field] ?? 0);
    series.push({ name: "before", values: earlier, tone: "before", kind: "line" });
  }
  return chart({
    title: `${label} by ${interval}`,
    summary:
      top > 0
        ? `The most, ${number(top)}, at ${names[values.indexOf(top)]}; ${names.length} in all.`
        : `None in any of ${names.length}.`,
    file: `stampcard-${field}-${interval}`,
    column: `From (${zone})`,
    x: now.map(({ startTime }) => wallTime(startTime, zone)),
    names,
    series,
  });
}
