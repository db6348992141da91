// One organization of the partner: its status, its credits, its pool, its keys.

import { get, patch, path, post, put, remove } from "../../lib/api.js";
import { append, h, replace } from "../../lib/dom.js";
import { confirmDialog, editDialog, formDialog, secretDialog } from "../../lib/dialogs.js";
import { numberOrNull } from "../../lib/fields.js";
import { dateTime, number } from "../../lib/format.js";
import { RawJson, objectText, prettyJson, rawText } from "../../lib/json.js";
import { notify } from "../../lib/notices.js";
import { backLink, badge, button, card, facts, pageHead, table } from "../../lib/parts.js";
import { emptyState, load } from "../../lib/states.js";
import { poolCard } from "./pool.js";

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
    poolCard(where),
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
    () => organizationOf(where),
    (organization) => {
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

/** The organization, with its metadata as text. */
async function organizationOf(where) {
  const { data, text } = await get(where, {}, { raw: true });
  return { ...data.organization, metadata: rawText(text, "organization", "metadata") };
}

function profile(where, organization, changed) {
  const { name, externalId, status, tier, credits, metadata, createdAt } = organization;
  const edit = (title, fields, save, more) =>
    editDialog({
      title,
      fields,
      async load() {
        const { version, ...values } = await organizationOf(where);
        return { values, version };
      },
      save,
      saved: changed,
      ...more,
    });
  return card(
    "Profile",
    facts([
      ["Status", badge(status)],
      ["Tier", h("span", { class: "tag" }, tier)],
      ["Credits a month", credits === null ? "no cap" : number(credits)],
      ["Your own id", externalId ?? "–"],
      ["Metadata", metadata && h("code", { class: "json" }, prettyJson(metadata))],
      ["Created", dateTime(createdAt)],
    ]),
    h(
      "div",
      { class: "actions" },
      button("Edit", () => edit(`Edit ${name}`, NAMES, saveNames(where))),
      button("Set status", () =>
        edit(`Status of ${name}`, choice("status", "Status", STATUSES), saveOne(where, "status"), {
          text:
            "Keys and tokens of an organization that is not active are refused from the next " +
            "request on.",
        }),
      ),
      button("Set tier", () =>
        edit(`Tier of ${name}`, choice("tier", "Tier", TIERS), saveOne(where, "tier")),
      ),
      button("Set credits", () =>
        edit(`Credits of ${name}`, CREDITS, saveCredits(where), {
          action: "Allocate",
          text: "A cap for every month. It reserves nothing, and replaces the one before.",
        }),
      ),
    ),
  );
}

const NAMES = [
  { name: "name", label: "Name", required: true, maxlength: 255 },
  { name: "externalId", label: "Your own id", maxlength: 255 },
  {
    name: "metadata",
    label: "Metadata",
    type: "textarea",
    rows: 4,
    spellcheck: "false",
    hint: "A JSON object of your own. It is stored exactly as written.",
  },
];
const CREDITS = [
  { name: "credits", label: "Credits a month", type: "number", min: 0, step: 1, required: true },
  { name: "notes", label: "Notes", type: "textarea", maxlength: 1000 },
];
const choice = (name, label, options) => [{ name, label, type: "select", options, required: true }];

const saveNames =
  (where) =>
  ({ name, externalId, metadata }, { match }) => {
    const text = metadata === undefined ? null : objectText(metadata, "The metadata");
    const body = {
      ...(name !== undefined && { name }),
      ...(externalId !== undefined && { externalId: externalId || null }),
      ...(metadata !== undefined && { metadata: text === null ? null : new RawJson(text) }),
    };
    return patch(where, body, { match });
  };

const saveOne =
  (where, field) =>
  (changes, { match }) =>
    put(`${where}/${field}`, changes, { match });

/** The credits include the notes, which belong to the same allocation. */
const saveCredits =
  (where) =>
  ({ notes }, { match, values }) =>
    put(
      `${where}/credits`,
      { credits: numberOrNull(values.credits), ...(notes && { notes }) },
      { match },
    );

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
      { label: "Created", isWide: true, cell: ({ createdAt }) => dateTime(createdAt) },
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
                  name: `Revoke ${key.name} (${key.id})`,
                  async submit(_, options) {
                    await remove(`${where}${path`/api-keys/${key.id}`}`, null, options);
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
  );
}

function newKey(where, changed) {
  formDialog({
    title: "New key",
    name: `New key ${where}`,
    action: "Create the key",
    fields: [
      {
        name: "name",
        label: "Name",
        required: true,
        maxlength: 255,
        hint: "Who or what it is for.",
      },
    ],
    async submit({ name }, options) {
      const { plainKey } = await post(`${where}/api-keys`, { name }, options);
      changed();
      secretDialog({ title: `The key ${name}`, text: "It is shown only once.", secret: plainKey });
    },
  });
}
