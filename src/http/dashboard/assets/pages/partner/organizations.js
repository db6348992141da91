// The partner's organizations: search for one, create one.

import { get, post } from "../../lib/api.js";
import { append, h } from "../../lib/dom.js";
import { formDialog, secretDialog } from "../../lib/dialogs.js";
import { numberOrNull, picker } from "../../lib/fields.js";
import { count, day, number } from "../../lib/format.js";
import { badge, button, link, pageHead, searchField, table } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";

const PAGE_SIZE = 25;

export function partnerOrganizationsPage(view) {
  const asked = { page: 1, search: "", status: "" };
  const place = h("div");
  const make = () => createDialog(() => again());
  const change = (part) => {
    Object.assign(asked, { page: 1 }, part);
    void again(false);
  };
  append(view.root, [
    pageHead(
      "Organizations",
      "Every organization of this environment, the newest first.",
      button("New organization", make, { tone: "primary", symbol: "plus" }),
    ),
    h(
      "div",
      { class: "controls" },
      searchField("Search by name", (search) => change({ search })),
      picker(
        "Status",
        [
          ["", "All"],
          ["active", "Active"],
          ["suspended", "Suspended"],
          ["canceled", "Canceled"],
        ],
        "",
        (status) => change({ status }),
      ),
    ),
    place,
  ]);
  const again = load(
    place,
    () => get("/partner/organizations", { ...asked, pageSize: PAGE_SIZE }),
    ({ organizations, total, page }) => {
      if (total === 0) {
        return asked.search || asked.status
          ? emptyState("None found", "No organization matches.")
          : emptyState(
              "No organizations yet",
              "Each one has its own programs, members and keys.",
              button("Create one", make, { tone: "primary" }),
            );
      }
      return [organizationTable(organizations), pages(page, total, change)];
    },
    8,
  );
}

function organizationTable(rows) {
  return h(
    "section",
    { class: "card card-flush" },
    table(
      "Organizations",
      [
        {
          label: "Organization",
          cell: ({ id, name, externalId }) =>
            h(
              "div",
              { class: "offer-cell" },
              h("span", { class: "strong" }, link(`organizations/${encodeURIComponent(id)}`, name)),
              externalId && h("span", { class: "hint" }, externalId),
            ),
        },
        { label: "Status", cell: ({ status }) => badge(status) },
        { label: "Tier", isWide: true, cell: ({ tier }) => h("span", { class: "tag" }, tier) },
        {
          label: "Credits a month",
          isNumber: true,
          isWide: true,
          cell: ({ credits }) => (credits === null ? "no cap" : number(credits)),
        },
        { label: "Created", isWide: true, cell: ({ createdAt }) => day(createdAt) },
      ],
      rows,
    ),
  );
}

function pages(page, total, change) {
  const last = Math.ceil(total / PAGE_SIZE);
  return h(
    "div",
    { class: "more" },
    button("Newer", () => change({ page: page - 1 }), { disabled: page <= 1, focus: "newer" }),
    h("span", { class: "hint" }, `${count(total, "organization")}, page ${page} of ${last}`),
    button("Older", () => change({ page: page + 1 }), { disabled: page >= last, focus: "older" }),
  );
}

function createDialog(changed) {
  formDialog({
    title: "New organization",
    text: "It gets one program of the same name and a key for it.",
    action: "Create the organization",
    fields: [
      { name: "name", label: "Name", required: true, maxlength: 255 },
      { name: "externalId", label: "Your own id for it", maxlength: 255 },
      {
        name: "tier",
        label: "Tier",
        type: "select",
        required: true,
        options: [
          ["trial", "Trial"],
          ["paid", "Paid"],
        ],
        value: "trial",
      },
      {
        name: "initialCredits",
        label: "Credits a month",
        type: "number",
        min: 0,
        step: 1,
        hint: "The most it may take from the pool. Left empty, there is no limit.",
      },
    ],
    async submit({ name, externalId, tier, initialCredits }, options) {
      const credits = numberOrNull(initialCredits);
      const body = {
        name,
        tier,
        ...(externalId && { externalId }),
        ...(credits !== null && { initialCredits: credits }),
      };
      const { apiKey } = await post("/partner/organizations", body, options);
      changed();
      secretDialog({
        title: `The key of ${name}`,
        text: "Give it to the organization. It is shown only once.",
        secret: apiKey,
      });
    },
  });
}
