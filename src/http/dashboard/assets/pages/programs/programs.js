// The organization's programs, compared.

import { get } from "../../lib/api.js";
import { chart } from "../../lib/charts.js";
import { append, h } from "../../lib/dom.js";
import { picker } from "../../lib/fields.js";
import { number, timeText } from "../../lib/format.js";
import { button, card, pageHead, table } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";
import { createDialog } from "./dialogs.js";
import { programList } from "./list.js";

const DAY = 86400000;
/** The number of programs in the text for screen readers; the table has all. */
const MOST_TOLD = 12;
const PERIODS = [
  ["", "All time"],
  ["1", "Last 24 hours"],
  ["7", "Last 7 days"],
  ["30", "Last 30 days"],
];

export function programsPage(view) {
  const place = h("div");
  let days = "";
  let drawn;
  const both = () => {
    void again();
    void list.again();
  };
  const list = programList(view, both);
  append(view.root, [
    pageHead(
      "Programs",
      "Every program of the organization, compared.",
      button("New program", () => createDialog(view.context, both), {
        tone: "primary",
        symbol: "plus",
      }),
    ),
    h(
      "div",
      { class: "controls" },
      picker("Period", PERIODS, days, (chosen) => {
        days = chosen;
        again(false);
      }),
    ),
    place,
    list.element,
  ]);
  const again = load(
    place,
    () => report(days),
    (rows) => {
      if (rows.length === 0) {
        return emptyState("Nothing happened", "No program had any activity in this period.");
      }
      const what = comparison(rows, days);
      if (drawn) drawn.update(what);
      else drawn = chart(what);
      return [card("Points", drawn.element), programTable(rows)];
    },
  );
  view.live(again.live);
}

async function report(days) {
  const to = new Date();
  const window = days
    ? { from: new Date(to.getTime() - Number(days) * DAY).toISOString(), to: to.toISOString() }
    : {};
  const rows = [];
  /** @type {string | null | undefined} */
  let cursor;
  do {
    const page = await get("/v1/reports/program-activity", { ...window, limit: 200, cursor });
    rows.push(...page.data);
    cursor = page.pagination.next_cursor;
  } while (cursor);
  return rows;
}

/** @returns {import("../../../types").Chart} */
function comparison(rows, days) {
  const nameOf = (row) => rows[row].program_name;
  /** @returns {import("../../../types").ChartSeries} */
  const series = (name, field, tone) => ({
    name,
    values: rows.map((row) => Number(row[field])),
    tone,
    kind: "bar",
    unit: "points",
  });
  const told = rows.slice(0, MOST_TOLD).map((row) => {
    const issued = number(row.total_issued);
    return `${row.program_name}: ${issued} issued, ${number(row.total_redeemed)} redeemed`;
  });
  if (rows.length > told.length) told.push(`${number(rows.length - told.length)} more`);
  return {
    title: "Points issued and redeemed by program",
    period: PERIODS.find(([value]) => value === days)?.[1] ?? "",
    summary: told.join("; "),
    file: "stampcard-programs",
    column: "Program",
    unit: "points",
    count: rows.length,
    keyOf: (row) => row,
    nameOf,
    rangeOf: nameOf,
    machineOf: nameOf,
    axis: { kind: "category" },
    series: [
      series("issued", "total_issued", "minted"),
      series("redeemed", "total_redeemed", "spent"),
    ],
    openAt: -1,
    openText: "",
    notes: [],
  };
}

function programTable(rows) {
  const figure = (label, field, isWide) => ({
    label,
    isNumber: true,
    isWide,
    cell: (row) => number(row[field]),
  });
  return h(
    "section",
    { class: "card card-flush" },
    table(
      "Programs",
      [
        { label: "Program", cell: (row) => h("span", { class: "strong" }, row.program_name) },
        figure("Issued", "total_issued"),
        figure("Redeemed", "total_redeemed"),
        figure("Participants", "unique_participants", true),
        figure("Events", "event_count", true),
        figure("Entries", "journal_count", true),
        figure("Offers", "reward_count", true),
        figure("Tiers", "tier_count", true),
        {
          label: "Last active",
          isWide: true,
          cell: (row) => (row.last_activity_at ? timeText(row.last_activity_at) : "never"),
        },
      ],
      rows,
    ),
  );
}
