// The server: its version and state, its last verification and backup, and instructions for
// commands that run only on its machine.

import { get, post } from "../../lib/api.js";
import { append, h } from "../../lib/dom.js";
import { count, dateTime, number, timeText } from "../../lib/format.js";
import { attempt } from "../../lib/notices.js";
import { button, card, facts, pageHead } from "../../lib/parts.js";
import { load } from "../../lib/states.js";

const COMMANDS = [
  ["Verify the database", "stampcard verify"],
  ["Back it up while the server runs", "stampcard backup stampcard-backup.db"],
  ["Export everything as lines of JSON", "stampcard export stampcard.jsonl"],
];

/** @param {any} view */
export function partnerServerPage(view) {
  const place = h("div");
  append(view.root, [
    pageHead("Server", "The server and its database, for live and sandbox alike."),
    place,
    commands(),
  ]);
  const again = load(
    place,
    () => get("/partner/server"),
    (server) => [state(server, () => again()), checks(server)],
  );
}

function state(server, changed) {
  const { version, startedAt, takesWrites, reason, clockRefused, database } = server;
  return card(
    "State",
    facts([
      ["Version", version],
      ["Started", [dateTime(startedAt), " (", timeText(startedAt), ")"]],
      [
        "Changes",
        takesWrites ? "are accepted" : h("strong", { class: "bad" }, `are refused: ${reason}`),
      ],
      ["Database", bytes(database.bytes)],
      ["Write-ahead log", bytes(database.logBytes)],
    ]),
    clockRefused &&
      h(
        "div",
        { class: "actions" },
        button("The clock is right", () =>
          attempt(
            () => post("/partner/clock/accept", {}),
            (answer) => `The clock is accepted: it is ${dateTime(answer.now)}.`,
          ).then(() => {
            document.dispatchEvent(new CustomEvent("serverstate"));
            changed();
          }),
        ),
      ),
    h(
      "p",
      { class: "links" },
      h("a", { href: "/docs" }, "The API's documentation"),
      h("a", { href: "/openapi.json" }, "OpenAPI document"),
    ),
  );
}

function checks({ lastVerify, lastBackup }) {
  return card(
    "Checks",
    facts([
      ["Last verified", lastVerify ? verified(lastVerify) : unknown()],
      [
        "Last backup",
        lastBackup
          ? [...moment(lastBackup.at), `, ${bytes(lastBackup.bytes)}, verified`]
          : unknown(),
      ],
    ]),
    h(
      "p",
      { class: "hint" },
      "Commands that ran on the server's machine, on this file, are shown here. Those that ran on a copy, " +
        "such as a replica, are not.",
    ),
  );
}

const unknown = () => h("span", { class: "muted" }, "not known to this server");

const moment = (at) => [dateTime(at), " (", timeText(at), ")"];

function verified({ at, agrees, figures, findings }) {
  if (agrees) return [...moment(at), `: everything agrees, ${count(figures, "figure")} compared`];
  const wrong = findings === 1 ? "1 problem found" : `${number(findings)} problems found`;
  return [...moment(at), ": ", h("strong", { class: "bad" }, wrong)];
}

function bytes(amount) {
  if (amount < 1e6) return `${number(Math.ceil(amount / 1000))} kB`;
  return `${number(Math.round(amount / 1e5) / 10)} MB`;
}

function commands() {
  return card(
    "On the server's machine",
    h(
      "p",
      { class: "hint" },
      "These read the whole file, both environments, and may take minutes. So they are commands and " +
        "not buttons, run with the settings of the server.",
    ),
    facts(COMMANDS.map(([what, command]) => [what, h("code", {}, command)])),
  );
}
