// Members: find somebody, or add somebody.

import { ApiError, get, path, put } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { formDialog } from "../lib/dialogs.js";
import { Explained } from "../lib/edits.js";
import { day, points } from "../lib/format.js";
import { notify } from "../lib/notices.js";
import { button, link, memberLink, pageHead, pagedTable, searchField } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";

export function membersPage(view) {
  const asked = { search: "", tier: "", includeArchived: false };
  const place = h("div");
  const add = button("Add a member", () => addDialog(), { tone: "primary", symbol: "plus" });
  const change = (part) => {
    Object.assign(asked, part);
    void again(false);
  };
  append(view.root, [
    pageHead("Members", "Everybody who signed up, the newest first.", add),
    h(
      "div",
      { class: "controls" },
      searchField("Search by id or name", (search) => change({ search })),
      tierField((tier) => change({ tier })),
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          onchange: ({ target }) => change({ includeArchived: target.checked }),
        }),
        "Removed members, too",
      ),
    ),
    place,
  ]);
  const page = (cursor) =>
    get("/v1/members", {
      limit: 25,
      cursor,
      search: asked.search,
      tier: asked.tier,
      includeArchived: asked.includeArchived || null,
    });
  const again = load(
    place,
    () => page(),
    (first) => {
      if (first.members.length > 0) return memberTable(first, page, view.context.symbol);
      return asked.search || asked.tier
        ? emptyState("Nobody found", "No member's id or name has that in it.")
        : emptyState(
            "No members yet",
            "A token exchange signs a member up; so does adding one here.",
            button("Add a member", () => addDialog(), { tone: "primary" }),
          );
    },
    8,
  );
  view.live(
    () => again.unlessPaged(),
    (name) => name.startsWith("member."),
  );
}

function tierField(onchange) {
  return h(
    "label",
    { class: "picker" },
    h("span", {}, "Tier"),
    h("input", {
      class: "short",
      placeholder: "any",
      autocomplete: "off",
      onchange: ({ target }) => onchange(target.value.trim()),
    }),
  );
}

function memberTable(first, page, symbol) {
  return h(
    "section",
    { class: "card card-flush" },
    pagedTable(
      "Members",
      [
        {
          label: "Member",
          cell: ({ externalUserID, displayName, archivedAt }) =>
            h(
              "div",
              { class: "offer-cell" },
              h("span", { class: "strong" }, memberLink(externalUserID)),
              displayName && h("span", { class: "hint" }, displayName),
              archivedAt && h("span", { class: "badge badge-canceled" }, "Removed"),
            ),
        },
        { label: "Tier", cell: ({ tier }) => h("span", { class: "tag" }, tier) },
        {
          label: "Received",
          isNumber: true,
          isWide: true,
          cell: ({ wallet }) => points(wallet.amountReceived, symbol),
        },
        {
          label: "Spent",
          isNumber: true,
          isWide: true,
          cell: ({ wallet }) => points(wallet.amountSpent, symbol),
        },
        { label: "Balance", isNumber: true, cell: ({ wallet }) => points(wallet.balance, symbol) },
      ],
      first,
      "members",
      page,
    ),
  );
}

/** Adds somebody. It never changes who is there: whose the id is, is said. */
function addDialog() {
  formDialog({
    title: "Add a member",
    action: "Add",
    fields: [
      {
        name: "id",
        label: "External id",
        required: true,
        maxlength: 255,
        hint: "The id your own system knows this person by.",
      },
      { name: "displayName", label: "Display name", maxlength: 255 },
      { name: "tier", label: "Tier", maxlength: 64 },
    ],
    async submit({ id, displayName, tier }, options) {
      const body = { ...(displayName && { displayName }), ...(tier && { tier }) };
      try {
        await put(path`/v1/members/${id}`, body, { ...options, create: true });
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 412)) throw error;
        const there = await get(path`/v1/members/${id}`, { includeArchived: true });
        if (!error.wasLost || !isAsSent(there, body)) throw new Explained(whoIsThere(there));
      }
      notify(`${displayName || id} is a member.`);
      location.hash = `#/members/${encodeURIComponent(id)}`;
    },
  });
}

/** Whether a member is what a request makes whose answer was lost. */
const isAsSent = (member, body) =>
  member.archivedAt === null &&
  Object.entries(body).every(([field, value]) => member[field] === value);

function whoIsThere({ externalUserID, displayName, tier, archivedAt }) {
  const who = `${displayName ?? "somebody without a name"}, ${tier}`;
  const to = link(`members/${encodeURIComponent(externalUserID)}`, "Go to the member");
  return archivedAt === null
    ? [`The id ${externalUserID} is taken: ${who}. Nothing was changed. `, to]
    : [
        `The id ${externalUserID} was removed on ${day(archivedAt)}: ${who}. Nothing was changed. `,
        "The member can be restored on the member's page. ",
        to,
      ];
}
