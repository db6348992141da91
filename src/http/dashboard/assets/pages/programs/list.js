// The organization's programs with the actions on each, archived ones included.

import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { day } from "../../lib/format.js";
import { attempt } from "../../lib/notices.js";
import { button, table } from "../../lib/parts.js";
import { switchTo } from "../../lib/places.js";
import { held } from "../../lib/session.js";
import { load } from "../../lib/states.js";
import { archiveDialog, renameDialog, restoreProgram } from "./dialogs.js";

/**
 * The list. `changed` is called after an action on a program.
 * @param {any} view
 * @param {() => void} changed
 */
export function programList(view, changed) {
  const place = h("div");
  const again = load(place, everyProgram, (programs) => rows(programs, view.context, changed));
  const element = h(
    "section",
    { class: "card card-flush" },
    h("h2", { class: "card-title" }, "All programs"),
    place,
  );
  return { element, again };
}

async function everyProgram() {
  const programs = [];
  /** @type {string | null | undefined} */
  let cursor;
  do {
    const query = { limit: 200, include_archived: true, cursor };
    const page = await get("/v1/programs", query);
    programs.push(...page.data);
    cursor = page.pagination.next_cursor;
  } while (cursor);
  return programs;
}

function rows(programs, context, changed) {
  const isOwn = ({ id }) => id === context.program.id;
  return table(
    "All programs",
    [
      {
        label: "Program",
        cell: (program) => [
          h("span", { class: "strong" }, program.name),
          isOwn(program) && h("span", { class: "tag" }, "this one"),
          program.status !== "ACTIVE" && h("span", { class: "tag" }, program.status.toLowerCase()),
        ],
      },
      { label: "Created", isWide: true, cell: ({ created_at: at }) => day(at) },
      {
        label: h("span", { class: "hidden" }, "Actions"),
        cell: (program) =>
          h("div", { class: "row-actions" }, actions(program, isOwn(program), context, changed)),
      },
    ],
    programs,
  );
}

function actions(program, isOwn, context, changed) {
  const key = held().find((each) => each.program === program.id);
  const small = (text, onclick) =>
    button(text, onclick, { tone: "small", "aria-label": `${text} ${program.name}` });
  if (program.status === "ARCHIVED") {
    return small("Restore", () => attempt(() => restoreProgram(program, context, changed)));
  }
  const isSuspended = program.status === "SUSPENDED";
  return [
    isSuspended && small("Resume", () => attempt(() => restoreProgram(program, context, changed))),
    key && !isOwn && small("Switch to", () => switchTo(key.key, context.restart)),
    small("Rename", () => renameDialog(program, context, changed)),
    small("Archive", () => archiveDialog(program, context, changed)),
  ];
}
