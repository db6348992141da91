// One organization of the partner's: its standing, its credits, its keys.

import { get, patch, path, post, put, remove } from "../../lib/api.js";
import { append, h, replace } from "../../lib/dom.js";
import { confirmDialog, formDialog, secretDialog } from "../../lib/dialogs.js";
import { dateTime, number } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { backLink, badge, button, card, facts, link, pageHead, table } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";

const STATUSES = [
  ["active", "Active"],
  ["suspended", "Suspended"],
  ["canceled", "Canceled"],
];
const TIERS = [
  ["trial", "Trial"],
  ["paid", "Paid"],
];

export function partnerOrganizationPage(view) {
  const where = path`/partner/organizations/${view.params.id}`;
  const head = h("div");
  const about = h("div");
  const keys = h("div");
  append(view.root, [
    backLink("organizations", "Organizations"),
    head,
    about,
    h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { class: "card-title" }, "Keys"),
        button("New key", () => newKey(where, () => keysAgain()), { tone: "small" }),
      ),
      keys,
    ),
  ]);
  replace(head, pageHead("Organization"));
  const again = load(
    about,
    () => get(where),
    ({ organization }) => {
      replace(head, pageHead(organization.name));
      return profile(where, organization, () => again());
    },
  );
  const keysAgain = load(
    keys,
    () => get(`${where}/api-keys`),
    ({ apiKeys }) => keyTable(where, apiKeys, () => keysAgain()),
  );
}

function profile(where, organization, changed) {
  const { name, externalId, status, tier, credits, metadata, createdAt } = organization;
  return card(
    "Profile",
    facts([
      ["Status", badge(status)],
      ["Tier", h("span", { class: "tag" }, tier)],
      ["Credits a month", credits === null ? "no cap" : number(credits)],
      ["Your own id", externalId ?? "–"],
      ["Metadata", metadata && h("code", { class: "json" }, JSON.stringify(metadata, null, 1))],
      ["Made", dateTime(createdAt)],
    ]),
    h(
      "div",
      { class: "actions" },
      button("Edit", () =>
        formDialog({
          title: `Edit ${name}`,
          action: "Save",
          fields: [
            { name: "name", label: "Name", value: name, required: true, maxlength: 255 },
            { name: "externalId", label: "Your own id", value: externalId, maxlength: 255 },
          ],
          async submit(answers) {
            await patch(where, { name: answers.name, externalId: answers.externalId || null });
            saved(changed);
          },
        }),
      ),
      button("Set status", () =>
        choose(
          where,
          "status",
          "Status",
          STATUSES,
          status,
          changed,
          "Keys and tokens of an organization that is not active are refused from the next request on.",
        ),
      ),
      button("Set tier", () => choose(where, "tier", "Tier", TIERS, tier, changed)),
      button("Set credits", () =>
        formDialog({
          title: `Credits of ${name}`,
          action: "Allocate",
          text: "A cap for every month. It reserves nothing, and replaces the one before.",
          fields: [
            {
              name: "credits",
              label: "Credits a month",
              type: "number",
              min: 0,
              step: 1,
              required: true,
              value: credits,
            },
            { name: "notes", label: "Notes", type: "textarea", maxlength: 1000 },
          ],
          async submit({ credits, notes }) {
            await put(`${where}/credits`, { credits: Number(credits), ...(notes && { notes }) });
            saved(changed);
          },
        }),
      ),
    ),
  );
}

function saved(changed) {
  notify("Saved.");
  changed();
}

function choose(where, field, title, options, value, changed, text) {
  formDialog({
    title,
    text,
    action: "Save",
    fields: [{ name: field, label: title, type: "select", options, value, required: true }],
    async submit(answers) {
      await put(`${where}/${field}`, answers);
      saved(changed);
    },
  });
}

function keyTable(where, keys, changed) {
  if (keys.length === 0) return emptyState("No keys", "Without one, nobody can use its programs.");
  return table(
    "Keys",
    [
      {
        label: "Key",
        cell: ({ name, keyPrefix }) =>
          h(
            "div",
            { class: "offer-cell" },
            h("span", { class: "strong" }, name),
            h("code", {}, `${keyPrefix}…`),
          ),
      },
      { label: "Made", isWide: true, cell: ({ createdAt }) => dateTime(createdAt) },
      {
        label: h("span", { class: "hidden" }, "Actions"),
        cell: (key) =>
          h(
            "div",
            { class: "row-actions" },
            button(
              "Revoke",
              () =>
                confirmDialog({
                  title: `Revoke ${key.name}?`,
                  text: "It is refused from its next request on.",
                  action: "Revoke it",
                  async submit() {
                    await remove(`${where}${path`/api-keys/${key.id}`}`);
                    notify(`${key.name} is revoked.`);
                    changed();
                  },
                }),
              { tone: "small", "aria-label": `Revoke ${key.name}` },
            ),
          ),
      },
    ],
    keys,
  ).element;
}

function newKey(where, changed) {
  formDialog({
    title: "New key",
    action: "Make the key",
    fields: [
      {
        name: "name",
        label: "Name",
        required: true,
        maxlength: 255,
        hint: "Who or what it is for.",
      },
    ],
    async submit({ name }) {
      const { plainKey } = await post(`${where}/api-keys`, { name });
      changed();
      secretDialog({ title: `The key ${name}`, text: "It is shown this once.", secret: plainKey });
    },
  });
}
