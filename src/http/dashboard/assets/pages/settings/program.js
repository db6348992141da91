// The program's name and details.

import { get, path } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { dateTime } from "../../lib/format.js";
import { button, card, facts } from "../../lib/parts.js";
import { environment } from "../../lib/session.js";
import { load } from "../../lib/states.js";
import { archiveDialog, renameDialog } from "../programs/dialogs.js";

/**
 * The card of the program that the key opens.
 * @param {any} view
 */
export function programCard(view) {
  const place = h("div");
  const again = load(
    place,
    () => get(path`/v1/programs/${"current"}`),
    (program) => [
      facts([
        ["Name", h("span", { class: "strong" }, program.name)],
        ["Environment", environment() === "live" ? "Live" : "Sandbox"],
        ["Id", h("code", {}, program.id)],
        ["Created", dateTime(program.created_at)],
      ]),
      h(
        "div",
        { class: "actions" },
        button("Rename", () => renameDialog(program, view.context, () => again())),
        button("Archive", () => archiveDialog(program, view.context, () => again())),
      ),
    ],
  );
  return card("Program", place);
}
