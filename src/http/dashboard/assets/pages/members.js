// Members: search for members, or add one.

import { ApiError, get, path, put } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { formDialog } from "../lib/dialogs.js";
import { Explained } from "../lib/edits.js";
import { select } from "../lib/fields.js";
import { marked } from "../lib/found.js";
import { count, day, points } from "../lib/format.js";
import { holdSlot } from "../lib/hold.js";
import { attempt, notify } from "../lib/notices.js";
import { moreButton, pagedList } from "../lib/paging.js";
import { button, link, pageHead, searchField, table } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";
import { contactFields } from "./member/dialogs.js";

/** The event names that can change a member's row. */
const CONCERNS = /^(member|wallet)\./;

/** @param {any} view */
export function membersPage(view) {
  const asked = askedIn(view.query);
  const place = h("div");
  const tiers = h("div", { class: "tier-place" });
  const add = button("Add a member", () => addDialog(), { tone: "primary", symbol: "plus" });
  const change = (part) => {
    Object.assign(asked, part);
    keep(asked);
    list.reset();
    void again(false);
  };
  append(view.root, [
    pageHead("Members", "All members, the newest first.", add),
    h(
      "div",
      { class: "controls" },
      memberSearch(asked, change),
      tiers,
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          checked: asked.includeArchived,
          onchange: ({ target }) => change({ includeArchived: target.checked }),
        }),
        "Removed members, too",
      ),
    ),
    holdSlot("member"),
    place,
  ]);
  const tiersAgain = load(
    tiers,
    () => get("/v1/tiers").catch(() => ({ tiers: [], total: 0 })),
    (answer) => tierField(answer, asked, (tier) => change({ tier })),
    0,
  );
  const list = pagedList((page) => get("/v1/members", { ...page, ...filterOf(asked) }), "members");
  const again = load(
    place,
    list.fetch,
    ({ rows, hasMore }) => {
      if (rows.length === 0 && !hasMore) return nobody(asked);
      return h(
        "section",
        { class: "card card-flush" },
        memberTable(rows, asked.search, view.context.symbol),
        h("div", { class: "more", "data-key": "more" }, moreButton(list, hasMore, again)),
      );
    },
    8,
  );
  view.live(
    (events) => {
      void again.live();
      if (events.some(({ name }) => !name.startsWith("wallet."))) void tiersAgain.live();
    },
    (name) => CONCERNS.test(name),
  );
}

/** The state in an address. */
function askedIn(query) {
  return {
    search: query.get("search") ?? "",
    tier: query.get("tier") ?? "",
    includeArchived: query.get("removed") === "yes",
  };
}

/** Writes it to the address bar, without a new entry in the history. */
function keep({ search, tier, includeArchived }) {
  const query = new URLSearchParams();
  if (search) query.set("search", search);
  if (tier) query.set("tier", tier);
  if (includeArchived) query.set("removed", "yes");
  const text = query.toString();
  history.replaceState(null, "", text ? `#/members?${text}` : "#/members");
}

function filterOf({ search, tier, includeArchived }) {
  return { search, tier, includeArchived: includeArchived || null };
}

/** The search. Enter opens the member if it finds only one. */
function memberSearch(asked, change) {
  const element = searchField("Search by name, id, email or phone", (search) => {
    if (search !== asked.search) change({ search });
  });
  const input = element.querySelector("input");
  input.value = asked.search;
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    const search = input.value.trim();
    if (search !== asked.search) change({ search });
    if (search) void attempt(() => openOnly(asked, input));
  });
  return element;
}

async function openOnly(asked, input) {
  const { search } = asked;
  const { members, nextCursor } = await get("/v1/members", { limit: 2, ...filterOf(asked) });
  const isMeant = input.isConnected && input.value.trim() === search;
  if (isMeant && members.length === 1 && nextCursor === null) {
    location.hash = addressOf(members[0]);
  }
}

const addressOf = ({ externalUserID }) => `#/members/${encodeURIComponent(externalUserID)}`;

/** The tiers in use to choose from; if there are very many, to type in as well. */
function tierField({ tiers, total }, asked, onchange) {
  const onpick = ({ target }) => onchange(target.value.trim());
  const names = tiers.map(({ tier }) => tier);
  if (total > tiers.length) {
    return h(
      "label",
      { class: "picker" },
      h("span", {}, "Tier"),
      h("input", {
        class: "short",
        name: "tier",
        placeholder: "all",
        autocomplete: "off",
        list: "tiers-in-use",
        value: asked.tier,
        onchange: onpick,
      }),
      h(
        "datalist",
        { id: "tiers-in-use" },
        names.map((value) => h("option", { value })),
      ),
    );
  }
  const texts = tiers.map(({ tier, members }) => [tier, `${tier} (${count(members, "member")})`]);
  if (asked.tier && !names.includes(asked.tier)) texts.push([asked.tier, asked.tier]);
  const options = [["", "All tiers"], ...texts];
  const input = select(options, asked.tier, { name: "tier", onchange: onpick });
  return h("label", { class: "picker" }, h("span", {}, "Tier"), input);
}

function nobody({ search, tier }) {
  return search || tier
    ? emptyState("Nobody found", "No member's name, id, email or phone matches.")
    : emptyState(
        "No members yet",
        "A token exchange signs a member up; so does adding one here.",
        button("Add a member", () => addDialog(), { tone: "primary" }),
      );
}

function memberTable(rows, search, symbol) {
  const amount = (name) => (row) => points(row.wallet[name], symbol);
  /** @type {any[]} */
  const columns = [
    { label: "Member", cell: (row) => memberCell(row, search) },
    { label: "Tier", cell: ({ tier }) => h("span", { class: "tag" }, tier) },
    { label: "Received", isNumber: true, isWide: true, cell: amount("amountReceived") },
    { label: "Spent", isNumber: true, isWide: true, cell: amount("amountSpent") },
    { label: "Balance", isNumber: true, cell: amount("balance") },
  ];
  const keyOf = ({ externalUserID }) => externalUserID;
  return table("Members", columns, rows, { keyOf, hold: "member" });
}

function memberCell(row, search) {
  const { externalUserID, displayName, email, phone, archivedAt, suspendedAt } = row;
  const id = marked(externalUserID, search);
  const name = displayName ? marked(displayName, search) : id;
  return h(
    "div",
    { class: "offer-cell" },
    h("span", { class: "strong" }, link(`members/${encodeURIComponent(externalUserID)}`, name)),
    displayName && h("span", { class: "hint", "data-key": "id" }, id),
    // Why a search found the member.
    search && email && h("span", { class: "hint", "data-key": "email" }, marked(email, search)),
    search && phone && h("span", { class: "hint", "data-key": "phone" }, phone),
    archivedAt && h("span", { class: "badge badge-canceled", "data-key": "removed" }, "Removed"),
    suspendedAt &&
      h("span", { class: "badge badge-suspended", "data-key": "suspended" }, "Suspended"),
  );
}

/** Adds a member. It never changes an existing one: a taken id is reported. */
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
        hint: "The id that your own system uses for the person.",
      },
      { name: "displayName", label: "Display name", maxlength: 255 },
      ...contactFields(),
      { name: "tier", label: "Tier", maxlength: 64 },
    ],
    async submit({ id, ...given }, options) {
      const { displayName } = given;
      const body = Object.fromEntries(Object.entries(given).filter(([, value]) => value));
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

/** Whether a member is what a request creates whose response was lost. */
const isAsSent = (member, body) =>
  member.archivedAt === null &&
  Object.entries(body).every(([field, value]) => member[field] === value);

function whoIsThere({ externalUserID, displayName, tier, archivedAt }) {
  const who = `${displayName ?? "a member without a name"}, ${tier}`;
  const to = link(`members/${encodeURIComponent(externalUserID)}`, "Go to the member");
  return archivedAt === null
    ? [`The id ${externalUserID} is taken: ${who}. Nothing was changed. `, to]
    : [
        `The id ${externalUserID} was removed on ${day(archivedAt)}: ${who}. Nothing was changed. `,
        "The member can be restored on the member's page. ",
        to,
      ];
}
