// The partner's usage over a range of days.

import { get } from "../../lib/api.js";
import { append, h } from "../../lib/dom.js";
import { number } from "../../lib/format.js";
import { card, figures, pageHead } from "../../lib/parts.js";
import { dayIn, shiftDays } from "../../lib/periods.js";
import { load } from "../../lib/states.js";

export function partnerUsagePage(view) {
  const today = dayIn(Date.now(), "UTC");
  const days = { startDate: shiftDays(today, -30), endDate: today };
  const place = h("div");
  const dateField = (label, name) =>
    h(
      "label",
      { class: "picker" },
      h("span", {}, label),
      h("input", {
        type: "date",
        value: days[name],
        required: true,
        onchange({ target }) {
          if (!target.value) return;
          days[name] = target.value;
          void again(false);
        },
      }),
    );
  append(view.root, [
    pageHead("Usage", "All organizations together. Days are UTC, both ends included."),
    h("div", { class: "controls" }, dateField("From", "startDate"), dateField("To", "endDate")),
    place,
  ]);
  const again = load(
    place,
    async () => {
      const [analytics, usage] = await Promise.all([
        get("/partner/analytics", days),
        get("/partner/usage", days),
      ]);
      return { analytics, usage };
    },
    usageCards,
    6,
  );
}

function usageCards({ analytics, usage }) {
  return [
    card(
      "In these days",
      figures([
        {
          name: "totalIdentifications",
          label: "Identifications",
          value: number(analytics.totalIdentifications),
        },
        { name: "creditsUsed", label: "Credits used", value: number(analytics.creditsUsed) },
        {
          name: "totalEvents",
          label: "Events",
          value: number(usage.totalEvents),
          note: "exchanges included",
        },
        {
          name: "organizationsWithActivity",
          label: "Active organizations",
          value: number(analytics.organizationsWithActivity),
        },
      ]),
    ),
    card(
      "Now",
      figures([
        {
          name: "totalOrganizations",
          label: "Organizations",
          value: number(analytics.totalOrganizations),
          note: `${number(analytics.activeOrganizations)} active`,
        },
        {
          name: "creditsRemaining",
          label: "Credits left",
          value: number(analytics.creditsRemaining),
          note: "this month",
        },
      ]),
    ),
  ];
}
