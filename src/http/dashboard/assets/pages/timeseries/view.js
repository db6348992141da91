// The view of the timeseries, as in the address bar: a link to it shows the same.

import { INTERVALS, PERIODS, dayIn, ownZone, shiftDays } from "../../lib/periods.js";

const DAY = /^\d{4}-\d\d-\d\d$/;

/** Parses an address; missing and invalid values get their defaults. */
export function chosenView(query, measures) {
  const usual = usualView();
  const oneOf = (name, allowed, otherwise) =>
    allowed.includes(query.get(name)) ? query.get(name) : otherwise;
  const day = (name, otherwise) => {
    const text = query.get(name) ?? "";
    return DAY.test(text) && !Number.isNaN(Date.parse(text)) ? text : otherwise;
  };
  const period = oneOf(
    "period",
    PERIODS.map(({ id }) => id),
    usual.period,
  );
  const last = day("to", usual.last);
  const first = day("from", usual.first);
  return {
    period,
    interval: oneOf("by", Object.keys(INTERVALS), intervalOf(period)),
    zone: isZone(query.get("zone")) ? query.get("zone") : usual.zone,
    measure: oneOf("measure", measures, usual.measure),
    compares: query.get("compare") !== "no",
    first: first > last ? last : first,
    last,
  };
}

/** Writes values other than defaults to the address bar, without a new entry in the history. */
export function keepView(choice) {
  const usual = usualView();
  const query = new URLSearchParams();
  const isCustom = choice.period === "custom";
  if (choice.period !== usual.period) query.set("period", choice.period);
  if (isCustom) query.set("from", choice.first);
  if (isCustom) query.set("to", choice.last);
  if (choice.interval !== intervalOf(choice.period)) query.set("by", choice.interval);
  if (choice.zone !== usual.zone) query.set("zone", choice.zone);
  if (choice.measure !== usual.measure) query.set("measure", choice.measure);
  if (!choice.compares) query.set("compare", "no");
  const [path] = location.hash.split("?");
  // A zone's name stays readable.
  const text = query.toString().replaceAll("%2F", "/");
  history.replaceState(null, "", text ? `${path || "#/overview"}?${text}` : path || "#/overview");
}

function usualView() {
  const today = dayIn(Date.now(), ownZone());
  return {
    period: "30d",
    zone: ownZone(),
    measure: "pointsMinted",
    first: shiftDays(today, -13),
    last: today,
  };
}

function intervalOf(period) {
  return PERIODS.find(({ id }) => id === period)?.interval;
}

function isZone(name) {
  try {
    return Boolean(name && new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}
