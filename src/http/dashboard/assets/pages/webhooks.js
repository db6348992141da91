// Webhooks: where events are sent to, what came of each delivery.

import { get, path, post, remove } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { confirmDialog, formDialog, secretDialog } from "../lib/dialogs.js";
import { picker } from "../lib/fields.js";
import { count, dateTime, number, timeText } from "../lib/format.js";
import { attempt, notify } from "../lib/notices.js";
import { backLink, badge, button, card, facts, link, pageHead, pagedTable } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";

/** The names of all events that an endpoint can be sent. The server writes them into the page. */
const EVENTS = document.querySelector('meta[name="events"]').content.split(" ");

export function webhooksPage(view) {
  const place = h("div");
  const make = () => createDialog(() => again());
  append(view.root, [
    pageHead(
      "Webhooks",
      "Endpoints that are told what happens.",
      button("New endpoint", make, { tone: "primary", symbol: "plus" }),
    ),
    place,
  ]);
  const again = load(
    place,
    () => get("/v1/webhooks"),
    ({ data }) =>
      data.length > 0
        ? h("ul", { class: "endpoints" }, data.map(endpointCard))
        : emptyState(
            "No endpoints yet",
            "An endpoint is a URL of yours that gets a signed request for each event.",
            button("Add an endpoint", make, { tone: "primary" }),
          ),
  );
}

function endpointCard({ id, url, events, createdAt, disabledAt }) {
  return h(
    "li",
    { class: "card endpoint" },
    h(
      "div",
      {},
      h("h2", { class: "endpoint-url" }, link(`webhooks/${encodeURIComponent(id)}`, url)),
      h("p", { class: "hint" }, count(events.length, "event"), " · since ", timeText(createdAt)),
    ),
    disabledAt && badgeText("Disabled", "canceled"),
  );
}

const badgeText = (text, tone) => h("span", { class: `badge badge-${tone}` }, text);

function createDialog(changed) {
  formDialog({
    title: "New endpoint",
    action: "Add the endpoint",
    fields: [
      {
        name: "url",
        label: "URL",
        type: "url",
        required: true,
        placeholder: "https://example.com/hook",
      },
      { name: "events", label: "Events", type: "checks", options: EVENTS, value: EVENTS },
    ],
    async submit({ url, events }) {
      const { signingSecret } = await post("/v1/webhooks", { url, events });
      changed();
      secretDialog({
        title: "The signing secret",
        text: "Check the signature of every request with it. It is shown this once.",
        secret: signingSecret,
      });
    },
  });
}

export function webhookPage(view) {
  const { id } = view.params;
  const about = h("div");
  const deliveries = h("div");
  let status = "";
  const page = (cursor) => get(path`/v1/webhooks/${id}/deliveries`, { limit: 25, cursor, status });
  append(view.root, [
    backLink("webhooks", "Webhooks"),
    pageHead("Endpoint"),
    about,
    h(
      "section",
      { class: "card" },
      h(
        "div",
        { class: "card-head" },
        h("h2", { class: "card-title" }, "Deliveries"),
        picker(
          "Status",
          [
            ["", "All"],
            ["pending", "Pending"],
            ["delivered", "Delivered"],
            ["dead", "Dead"],
          ],
          "",
          (chosen) => {
            status = chosen;
            again(false);
          },
        ),
      ),
      deliveries,
    ),
  ]);
  const again = load(
    deliveries,
    () => page(),
    (first) => deliveryTable(id, first, page, () => again()),
  );
  load(
    about,
    async () => {
      const { data } = await get("/v1/webhooks");
      return data.find((each) => each.id === id) ?? null;
    },
    (endpoint) => endpointFacts(endpoint, () => again()),
    3,
  );
  // What was just sent has its answer a moment later.
  view.live(() => setTimeout(again.unlessPaged, 500));
}

function endpointFacts(endpoint, changed) {
  if (!endpoint) return emptyState("No such endpoint", "It may have been deleted.");
  const { id, url, events, createdAt, disabledAt } = endpoint;
  const test = () =>
    attempt(async () => {
      await post(path`/v1/webhooks/${id}/test`);
      changed();
    }, "A test event is on its way.");
  const drop = () =>
    confirmDialog({
      title: "Delete this endpoint?",
      text: `${url} is told nothing any more.`,
      action: "Delete it",
      async submit() {
        await remove(path`/v1/webhooks/${id}`);
        notify("The endpoint is deleted.");
        location.hash = "#/webhooks";
      },
    });
  return card(
    null,
    facts([
      ["URL", h("code", {}, url)],
      [
        "Events",
        h(
          "span",
          { class: "tags" },
          events.map((event) => h("span", { class: "tag" }, event)),
        ),
      ],
      ["Made", dateTime(createdAt)],
      ["Disabled", disabledAt ? dateTime(disabledAt) : null],
    ]),
    !disabledAt &&
      h("div", { class: "actions" }, button("Send a test event", test), button("Delete", drop)),
  );
}

/** The name of an event, which may be broken after its dot. */
const breakable = (type) =>
  type.split(".").flatMap((word, at) => (at ? [".", h("wbr"), word] : word));

function deliveryTable(id, first, page, changed) {
  if (first.deliveries.length === 0)
    return emptyState("No deliveries", "There is one for each event and endpoint.");
  const redeliver = (delivery) =>
    attempt(async () => {
      await post(path`/v1/webhooks/${id}/deliveries/${delivery.id}/redeliver`);
      changed();
    }, "It is sent again.");
  return pagedTable(
    "Deliveries",
    [
      {
        label: "Event",
        cell: ({ type, createdAt }) =>
          h(
            "div",
            { class: "offer-cell" },
            h("span", { class: "strong" }, breakable(type)),
            h("span", { class: "hint" }, timeText(createdAt)),
          ),
      },
      {
        label: "Status",
        cell: ({ status, responseStatus, error }) =>
          h(
            "div",
            { class: "offer-cell" },
            badge(status),
            h("span", { class: "hint" }, error ?? (responseStatus && `answered ${responseStatus}`)),
          ),
      },
      { label: "Attempts", isNumber: true, isWide: true, cell: ({ attempts }) => number(attempts) },
      {
        label: "Took",
        isNumber: true,
        isWide: true,
        cell: ({ durationMs }) => (durationMs === null ? "–" : `${number(durationMs)} ms`),
      },
      {
        label: "Next",
        isWide: true,
        cell: ({ nextAttemptAt }) => (nextAttemptAt ? timeText(nextAttemptAt) : "–"),
      },
      {
        label: h("span", { class: "hidden" }, "Actions"),
        cell: (delivery) =>
          h(
            "div",
            { class: "row-actions" },
            button("Resend", () => redeliver(delivery), {
              tone: "small",
              focus: `again-${delivery.id}`,
              "aria-label": `Resend: ${delivery.type}`,
            }),
          ),
      },
    ],
    first,
    "deliveries",
    page,
  );
}
