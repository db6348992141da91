// Features of the sandbox: a clock that can be moved, a reset, and faults on request.

import { get, post } from "../../lib/api.js";
import { confirmDialog, formDialog } from "../../lib/dialogs.js";
import { h, replace } from "../../lib/dom.js";
import { DELAYS, FAULTS, fault, setFault } from "../../lib/faults.js";
import { toLocal } from "../../lib/fields.js";
import { dateTime, spanText } from "../../lib/format.js";
import { notify } from "../../lib/notices.js";
import { once } from "../../lib/once.js";
import { button, card } from "../../lib/parts.js";
import { load } from "../../lib/states.js";

const HOUR = 3600;
const STEPS = [
  ["+1 hour", HOUR],
  ["+1 day", 24 * HOUR],
  ["+1 week", 7 * 24 * HOUR],
];
/** The API's limit for one step. */
const SECONDS_MAX = 10 * 365 * 24 * HOUR;

/**
 * The cards of the sandbox.
 * @param {any} view
 */
export function sandboxCards(view) {
  return [clockCard(), faultCard(view), resetCard(view)];
}

function clockCard() {
  const place = h("div");
  const again = load(
    place,
    () => get("/v1/sandbox/clock"),
    (clock) => [
      h(
        "p",
        { class: "clock-state" },
        h("strong", {}, dateTime(clock.now)),
        clock.aheadSeconds > 0
          ? ` ${spanText(clock.aheadSeconds)} ahead of the server's clock`
          : " the same as the server's clock",
      ),
      h(
        "div",
        { class: "actions" },
        STEPS.map(([label, seconds]) => button(label, () => advance(seconds, again))),
        button("To a date…", () => dateDialog(clock, again)),
      ),
      h(
        "p",
        { class: "hint" },
        "Time only moves forward. A reset, below, sets the clock back to now.",
      ),
    ],
    3,
  );
  return card("Sandbox: clock", place);
}

async function advance(seconds, again) {
  await once(
    `The clock, ${spanText(seconds)} ahead`,
    (options) => post("/v1/sandbox/clock", { advanceSeconds: seconds }, options),
    (clock) => `In this program it is ${dateTime(clock.now)}.`,
  );
  moved(again);
}

function moved(again) {
  document.dispatchEvent(new CustomEvent("serverstate"));
  again();
}

function dateDialog(clock, again) {
  formDialog({
    title: "Move the clock to a date",
    text: `In this program it is ${dateTime(clock.now)}. Time only moves forward.`,
    action: "Move the clock",
    fields: [
      {
        name: "at",
        label: "Date and time",
        type: "datetime-local",
        required: true,
        min: toLocal(clock.now),
        value: toLocal(new Date(Date.parse(clock.now) + 24 * HOUR * 1000).toISOString()),
      },
    ],
    async submit({ at }, options) {
      // By its present time, not the one when the dialog was opened.
      const { now } = await get("/v1/sandbox/clock");
      const seconds = Math.round((new Date(at).getTime() - Date.parse(now)) / 1000);
      if (seconds < 1) throw new Error(`It must be after ${dateTime(now)}.`);
      if (seconds > SECONDS_MAX) throw new Error("At most ten years at once.");
      const after = await post("/v1/sandbox/clock", { advanceSeconds: seconds }, options);
      notify(`In this program it is ${dateTime(after.now)}.`);
      moved(again);
    },
  });
}

function faultCard(view) {
  const place = h("div");
  const show = () => {
    const asked = (fault() ?? "").split(",").filter(Boolean);
    const toggle = (value, others) => () => {
      const rest = asked.filter((each) => each !== value && !others.includes(each));
      setFault([...rest, ...(asked.includes(value) ? [] : [value])].join(",") || null);
    };
    const choice = (rows) =>
      rows.map(([value, label, what]) =>
        button(
          label,
          toggle(
            value,
            rows.map(([each]) => each),
          ),
          {
            tone: asked.includes(value) ? "primary" : undefined,
            focus: `fault-${value}`,
            "aria-pressed": String(asked.includes(value)),
            title: what,
          },
        ),
      );
    replace(
      place,
      h(
        "p",
        {},
        "Changes made in this tab fail, so that you can see what an app would experience:",
      ),
      h("div", { class: "actions" }, choice(FAULTS)),
      h("p", {}, "Or takes longer:"),
      h("div", { class: "actions" }, choice(DELAYS)),
      h(
        "p",
        { class: "hint" },
        "An app requests the same with a header: ",
        h("code", {}, `Stampcard-Fault: ${asked.join(",") || "503"}`),
      ),
    );
  };
  show();
  document.addEventListener("serverstate", show, { signal: view.signal });
  return card("Sandbox: faults on request", place);
}

function resetCard(view) {
  const start = () =>
    confirmDialog({
      title: `Reset ${view.context.program.name}?`,
      text:
        "The program is archived with its members, points, offers, redemptions, conversations and " +
        "webhooks, and its keys open a new, empty one with the same name and settings, whose " +
        "clock is the server's. Its members' tokens end. This cannot be undone.",
      action: "Reset",
      async submit(_, options) {
        await post("/v1/sandbox/reset", {}, options);
        notify("The program is empty.");
        view.context.restart();
      },
    });
  return card(
    "Sandbox: reset",
    h("p", {}, "An empty program with the same keys, name and settings. The old one is archived."),
    h("div", { class: "actions" }, button("Reset…", start, { tone: "danger" })),
  );
}
