// The program's legal documents: the present version of each, and publishing one.

import { get, path, put } from "../../lib/api.js";
import { contentDialog, formDialog } from "../../lib/dialogs.js";
import { h } from "../../lib/dom.js";
import { day } from "../../lib/format.js";
import { attempt, notify } from "../../lib/notices.js";
import { button, card, table } from "../../lib/parts.js";
import { load } from "../../lib/states.js";
import { DOCUMENTS, htmlFrame } from "../../lib/terms.js";

/** The API's limit for the text of a version, in bytes: none has more characters. */
const LENGTH_MAX = 262144;

/** The card of the legal documents. */
export function documentsCard() {
  const place = h("div", { id: "documents" });
  const again = load(
    place,
    () => get("/v1/terms"),
    ({ documents }) => documentTable(documents, () => again()),
    2,
  );
  return card(
    "Legal documents",
    h("p", { class: "hint" }, "Your app shows them to members, who accept a version."),
    place,
  );
}

function documentTable(documents, changed) {
  const rows = DOCUMENTS.map(([type, name]) => ({
    type,
    name,
    present: documents.find((each) => each.type === type) ?? null,
  }));
  return table(
    "Legal documents",
    [
      {
        label: "Document",
        cell: ({ name, present }) =>
          h(
            "div",
            { class: "offer-cell" },
            h("span", { class: "strong" }, name),
            h("span", {}, present ? versionText(present) : "not published"),
          ),
      },
      {
        label: h("span", { class: "hidden" }, "Actions"),
        cell: (row) =>
          h(
            "div",
            { class: "row-actions" },
            row.present && action("Show", row, () => showDialog(row)),
            action("Publish a version", row, () => publishDialog(row, changed)),
          ),
      },
    ],
    rows,
  );
}

/** The date of a version, and the beginning of its id. */
const versionText = ({ publishedAt, version }) => [
  `${day(publishedAt)} `,
  h("code", { title: version }, `${version.slice(0, 12)}…`),
];

const action = (text, { name }, onclick) =>
  button(text, () => attempt(onclick), { tone: "small", "aria-label": `${text}: ${name}` });

async function htmlOf({ present }) {
  const content = await get(path`/v1/terms/${present.version}/content`);
  return content.contentHTML;
}

async function showDialog(row) {
  contentDialog(row.name, htmlFrame(row.name, await htmlOf(row)));
}

/** The form begins with the text of the present version. */
async function publishDialog(row, changed) {
  const { type, name, present } = row;
  const html = present ? await htmlOf(row) : "";
  formDialog({
    title: `Publish a version: ${name}`,
    text:
      "It becomes the present version, which every member has yet to accept. A version cannot be " +
      "changed or deleted.",
    action: "Publish",
    fields: [
      {
        name: "contentHTML",
        label: "HTML",
        type: "textarea",
        rows: 10,
        required: true,
        maxlength: LENGTH_MAX,
        spellcheck: "false",
        value: html,
        hint: "Below as a preview. The dashboard shows no styles, pictures or scripts of it.",
      },
    ],
    preview: async ({ contentHTML }) => htmlFrame("Preview", contentHTML),
    async submit({ contentHTML }, options) {
      const published = await put(path`/v1/terms/${type}`, { contentHTML }, options);
      const isNew = published.version !== present?.version;
      notify(isNew ? `${name}: published.` : `${name}: that is the present version already.`);
      changed();
    },
  });
}
