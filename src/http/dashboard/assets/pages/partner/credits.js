// The partner's credits this month: the pool, and the credits used by each organization.

import { get } from "../../lib/api.js";
import { append, h } from "../../lib/dom.js";
import { day, number, percent } from "../../lib/format.js";
import { card, figures, link, pageHead, table } from "../../lib/parts.js";
import { load } from "../../lib/states.js";

export function partnerCreditsPage(view) {
  const place = h("div");
  append(view.root, [
    pageHead("Credits", "The pool of this month. An identification takes one credit."),
    place,
  ]);
  load(
    place,
    fetchCredits,
    ({ billing, usage, names }) => [pool(billing), organizations(usage, names)],
    8,
  );
}

async function fetchCredits() {
  const [billing, usage, organizations] = await Promise.all([
    get("/partner/billing"),
    get("/partner/billing/usage"),
    everyOrganization(),
  ]);
  return {
    billing,
    usage,
    names: Object.fromEntries(organizations.map(({ id, name }) => [id, name])),
  };
}

/** The list has numbered pages, unlike the others. */
async function everyOrganization() {
  const rows = [];
  for (let page = 1; ; page += 1) {
    const { organizations, total } = await get("/partner/organizations", { page, pageSize: 100 });
    rows.push(...organizations);
    if (organizations.length === 0 || rows.length >= total) return rows;
  }
}

function pool({ creditPoolTotal, creditPoolUsed, creditPoolAvailable, nextBillingDate }) {
  const used = h("span", { class: "bar" });
  used.style.inlineSize = percentOf(creditPoolUsed, creditPoolTotal);
  return card(
    null,
    figures([
      {
        name: "creditPoolUsed",
        label: "Used",
        value: number(creditPoolUsed),
        note: creditPoolTotal > 0 ? percent(creditPoolUsed / creditPoolTotal) : null,
      },
      {
        name: "creditPoolAvailable",
        label: "Left",
        value: number(creditPoolAvailable),
        note: `until ${day(nextBillingDate)}`,
      },
      { name: "creditPoolTotal", label: "Pool", value: number(creditPoolTotal), note: "a month" },
    ]),
    h("span", { class: "bar-track bar-wide", "aria-hidden": "true" }, used),
  );
}

const percentOf = (part, whole) => `${whole > 0 ? Math.min(100, (100 * part) / whole) : 0}%`;

function organizations({ organizations: rows, overage }, names) {
  return h(
    "section",
    { class: "card card-flush" },
    table(
      "Credits by organization",
      [
        {
          label: "Organization",
          cell: ({ organizationId }) =>
            h(
              "span",
              { class: "strong" },
              link(
                `organizations/${encodeURIComponent(organizationId)}`,
                names[organizationId] ?? organizationId,
              ),
            ),
        },
        {
          label: "Identifications",
          isNumber: true,
          cell: (row) => number(row.totalIdentifications),
        },
        { label: "Credits", isNumber: true, cell: (row) => number(row.creditsUsed) },
        { label: "Overage", isNumber: true, isWide: true, cell: (row) => number(row.overage) },
      ],
      rows,
    ),
    overage > 0 &&
      h(
        "p",
        { class: "hint card-note" },
        `${number(overage)} identifications exceeded the credits. They succeeded anyway.`,
      ),
  );
}
