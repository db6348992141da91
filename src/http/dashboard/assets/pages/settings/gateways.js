// The program's servers for phone codes and sensitive details.

import { get, put } from "../../lib/api.js";
import { confirmDialog, formDialog, secretDialog } from "../../lib/dialogs.js";
import { h } from "../../lib/dom.js";
import { notify } from "../../lib/notices.js";
import { button, card, table } from "../../lib/parts.js";
import { environment } from "../../lib/session.js";
import { load } from "../../lib/states.js";
import { PURPOSES, bodyOf } from "./purposes.js";

/** The card of the two servers. */
export function gatewaysCard() {
  const place = h("div", { id: "gateways" });
  const again = load(
    place,
    () => get("/v1/configuration"),
    (configuration) => gatewayTable(configuration, () => again()),
    3,
  );
  return card(
    "Codes and sensitive details",
    h(
      "p",
      { class: "hint" },
      "This server sends no SMS and stores no sensitive details. It passes both on to servers of " +
        "yours, in signed requests.",
    ),
    place,
  );
}

function gatewayTable(configuration, changed) {
  const rows = PURPOSES.map((purpose) => ({
    ...purpose,
    url: configuration[purpose.field]?.url ?? null,
  }));
  return table(
    "Codes and sensitive details",
    [
      { label: "Server", cell: gatewayCell },
      {
        label: h("span", { class: "hidden" }, "Actions"),
        cell: (row) =>
          h(
            "div",
            { class: "row-actions" },
            action(row.url ? "Change" : "Set", row, () => setDialog(row, changed)),
            row.url && action("Remove", row, () => removeDialog(row, changed)),
          ),
      },
    ],
    rows,
    { keyOf: ({ field }) => field },
  );
}

const gatewayCell = ({ name, text, without, url }) =>
  h(
    "div",
    { class: "offer-cell" },
    h("span", { class: "strong" }, name),
    h("span", {}, url ? h("code", { class: "gateway-url" }, url) : "not set"),
    h("span", { class: "hint" }, text, " ", without[environment() ?? "live"]),
  );

const action = (text, { name, field }, onclick) =>
  button(text, onclick, {
    tone: "small",
    focus: `${text}-${field}`,
    "aria-label": `${text} the server: ${name}`,
  });

function setDialog(row, changed) {
  const { name, text, url } = row;
  formDialog({
    title: `Server: ${name}`,
    text: `${text} A new secret is created, which is shown once.`,
    action: "Set it",
    fields: [
      {
        name: "url",
        label: "URL",
        type: "url",
        required: true,
        maxlength: 2048,
        placeholder: "https://example.com/codes",
        value: url ?? "",
      },
    ],
    async submit({ url }, options) {
      const configuration = await put("/v1/configuration", bodyOf(row, url), options);
      changed();
      secretDialog({
        title: `The secret: ${name}`,
        text: "Check the signature of every request with it. It is shown only once.",
        secret: configuration[row.field].secret,
      });
    },
  });
}

function removeDialog(row, changed) {
  const { name, url, without } = row;
  confirmDialog({
    title: `Remove the server: ${name}?`,
    text: `Nothing is sent to ${url} any more. ${without[environment() ?? "live"]}`,
    action: "Remove it",
    async submit(_, options) {
      await put("/v1/configuration", bodyOf(row, null), options);
      notify(`${name}: the server is removed.`);
      changed();
    },
  });
}
