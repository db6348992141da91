// The overview: the present figures of the program, and their development.

import { all, get } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { number, percent, points } from "../lib/format.js";
import { notify } from "../lib/notices.js";
import { button, card, figures, link, pageHead } from "../lib/parts.js";
import { environment } from "../lib/session.js";
import { load } from "../lib/states.js";
import { STATUSES, label } from "../lib/statuses.js";
import { latelyCard } from "./lately.js";
import { timeseriesCard } from "./timeseries/card.js";

const BEST = 5;

export function overviewPage(view) {
  const summary = h("div");
  let course = null;
  append(view.root, [
    pageHead("Overview", "The program's figures, up to the latest change."),
    summary,
  ]);
  const again = load(
    summary,
    () => get("/v1/analytics/summary"),
    (data) => {
      if (isEmpty(data)) {
        course?.remove();
        return firstSteps();
      }
      course ??= courseOf(view);
      if (!course.isConnected) view.root.append(course);
      return [standing(data, view.context.symbol), byStatus(data.redemptions)];
    },
    3,
  );
  view.live(again.live);
}

/** The development of the program's figures. */
function courseOf(view) {
  const offers = h("div");
  const offersAgain = load(offers, bestOffers, (rows) => offerBars(rows, view.context.symbol));
  view.live(offersAgain.live, (name) => name.startsWith("redemption."));
  return h(
    "div",
    {},
    timeseriesCard(view),
    h("div", { class: "halves" }, card("Most redeemed", offers), latelyCard(view, offersOf)),
  );
}

/** Whether the program has no members, and never had any. */
function isEmpty({ memberCount, pointsMinted, redemptions }) {
  return memberCount === 0 && pointsMinted === 0 && redemptions.total === 0;
}

/** Shown in place of figures that are all zero: the first steps, here or by the API. */
function firstSteps() {
  const steps = [
    [link("members", "Add a member"), "Under the id that your own system uses for the person."],
    [link("members", "Give points"), "Open the member's page and choose “Credit points”."],
    [link("offers", "Create an offer"), "Something to spend points on, and its price."],
  ];
  const commands = h("pre", { class: "commands" }, firstCommands());
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(commands.textContent);
      notify("Copied.");
    } catch {
      getSelection()?.selectAllChildren(commands);
      notify("They are selected; copy them with the keyboard.");
    }
  };
  return [
    card(
      "First steps",
      h(
        "ol",
        { class: "steps" },
        steps.map(([what, how]) =>
          h("li", {}, h("span", { class: "strong" }, what), h("span", { class: "hint" }, how)),
        ),
      ),
    ),
    card(
      "The same from your own system",
      h("p", { class: "hint" }, "KEY is the key that you signed in with."),
      commands,
      h("div", { class: "actions" }, button("Copy the commands", copy)),
    ),
  ];
}

/** The first steps as commands, with a placeholder for the key. */
function firstCommands() {
  const curl = (what, body) =>
    `curl ${what} \\\n  -H "Authorization: Bearer $KEY" \\\n  -d '${JSON.stringify(body)}'`;
  const to = (path) => `${location.origin}${path}`;
  return [
    `KEY=expys_${environment()}_…`,
    curl(`-X PUT ${to("/v1/members/user_42")}`, { displayName: "Ada Lovelace" }),
    curl(to("/v1/wallet/credit"), { externalUserID: "user_42", amount: 100 }),
    curl(to("/v1/offers"), { title: "A coffee on the house", pointsPrice: 40 }),
  ].join("\n\n");
}

function standing(data, symbol) {
  // A server of an earlier version does not have the last ones.
  const { pointsExpired: expired = 0, pointsVoided: voided = 0 } = data;
  const { pointsPending: pending = 0, pointsHeld: held = 0 } = data;
  const inWallets =
    data.pointsMinted +
    data.pointsRefunded -
    data.pointsSpent -
    data.pointsForfeited -
    data.pointsDebited -
    expired -
    voided -
    pending -
    held;
  return h(
    "section",
    { class: "card", "aria-label": "Figures" },
    figures([
      {
        name: "memberCount",
        label: "Members",
        value: number(data.memberCount),
        note: `${number(data.activeMembers)} active`,
      },
      {
        name: "pointsMinted",
        label: "Points minted",
        value: number(data.pointsMinted),
        note: `${points(inWallets, symbol)} in wallets now`,
      },
      {
        name: "pointsSpent",
        label: "Points spent",
        value: number(data.pointsSpent),
        note: `${points(data.pointsRefunded, symbol)} refunded`,
      },
      ...(expired + pending + held > 0
        ? [
            {
              name: "pointsExpired",
              label: "Points expired",
              value: number(expired),
              note: restText(pending, held),
            },
          ]
        : []),
      {
        name: "completionRate",
        label: "Completion rate",
        value: percent(data.completionRate),
        note: `${number(data.redemptions.completed)} of ${number(data.redemptions.total)}`,
      },
    ]),
  );
}

const restText = (pending, held) =>
  [pending > 0 && `${number(pending)} pending`, held > 0 && `${number(held)} held`]
    .filter(Boolean)
    .join(", ");

/** One bar, divided by status, with its legend. */
function byStatus(redemptions) {
  const rows = STATUSES.map((status) => ({ status, count: redemptions[status.toLowerCase()] }));
  const parts = rows
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => {
      const part = h("span", { class: `part part-${status.toLowerCase()}` });
      part.style.flexGrow = count;
      return part;
    });
  return h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      h("h2", { class: "card-title" }, "Redemptions"),
      link("redemptions", "Open the board"),
    ),
    h("div", { class: "parts", "aria-hidden": "true" }, parts),
    h(
      "dl",
      { class: "status-list" },
      rows.map(({ status, count }) =>
        h(
          "div",
          { "data-status": status },
          h("dt", {}, h("i", { class: `dot part-${status.toLowerCase()}` }), label(status)),
          h("dd", {}, number(count)),
        ),
      ),
    ),
  );
}

let askedOffers = null;

/** The offers, requested once if two parts of the page need them at the same time. */
function offersOf() {
  askedOffers ??= all("/v1/offers", "data").finally(() => {
    askedOffers = null;
  });
  return askedOffers;
}

async function bestOffers() {
  const [{ offers: rows }, offers] = await Promise.all([get("/v1/analytics/offers"), offersOf()]);
  const titles = new Map(offers.map(({ id, title }) => [id, title]));
  return rows
    .filter((row) => row.signups > 0)
    .sort((a, b) => b.signups - a.signups || b.pointsSpent - a.pointsSpent)
    .slice(0, BEST)
    .map((row) => ({ ...row, title: titles.get(row.offerId) ?? "An archived offer" }));
}

function offerBars(rows, symbol) {
  if (rows.length === 0) return h("p", { class: "hint" }, "Nothing has been redeemed yet.");
  const most = rows[0].signups;
  return h(
    "ol",
    { class: "bars" },
    rows.map((row) => {
      const bar = h("span", { class: "bar" });
      bar.style.inlineSize = `${(100 * row.signups) / most}%`;
      return h(
        "li",
        { "data-key": row.offerId },
        h("span", { class: "bar-label" }, row.title),
        h(
          "span",
          { class: "bar-value" },
          `${number(row.signups)} members · ${points(row.pointsSpent, symbol)}`,
        ),
        h("span", { class: "bar-track", "aria-hidden": "true" }, bar),
      );
    }),
  );
}
