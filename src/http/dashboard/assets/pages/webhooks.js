// Webhooks: their endpoints, and the result of each delivery.

import { get, patch, path, post, remove } from "../lib/api.js";
import { append, h } from "../lib/dom.js";
import { editDialog, formDialog, secretDialog } from "../lib/dialogs.js";
import { picker } from "../lib/fields.js";
import { count, dateTime, number, timeText } from "../lib/format.js";
import { holdSlot } from "../lib/hold.js";
import { once } from "../lib/once.js";
import { moreButton, pagedList } from "../lib/paging.js";
import { backLink, badge, button, card, facts, link, pageHead, table } from "../lib/parts.js";
import { emptyState, load } from "../lib/states.js";
import { isPending, later, whenPending } from "../lib/undo.js";

/** The names of all events that an endpoint can receive. The server writes them into the page. */
const EVENTS = (document.querySelector('meta[name="events"]')?.getAttribute("content") ?? "").split(
  " ",
);

export function webhooksPage(view) {
  const place = h("div");
  const make = () => createDialog(() => again());
  append(view.root, [
    pageHead(
      "Webhooks",
      "Endpoints that receive events.",
      button("New endpoint", make, { tone: "primary", symbol: "plus" }),
    ),
    place,
  ]);
  const again = load(
    place,
    async () => {
      const { data } = await get("/v1/webhooks");
      return data.map((each) => ({ ...each, isLeaving: isPending(`webhook:${each.id}`) }));
    },
    (data) =>
      data.length > 0
        ? h("ul", { class: "endpoints" }, data.map(endpointCard))
        : emptyState(
            "No endpoints yet",
            "An endpoint is a URL that receives a signed request for each event.",
            button("Add an endpoint", make, { tone: "primary" }),
          ),
  );
  whenPending(() => again(), view.signal);
}

function endpointCard({ id, url, events, createdAt, disabledAt, isLeaving }) {
  return h(
    "li",
    { class: "card endpoint", "data-key": id },
    h(
      "div",
      {},
      h("h2", { class: "endpoint-url" }, link(`webhooks/${encodeURIComponent(id)}`, url)),
      h("p", { class: "hint" }, count(events.length, "event"), " · since ", timeText(createdAt)),
    ),
    isLeaving && badgeText("Changing", "canceled"),
    disabledAt && badgeText("Disabled", "canceled"),
  );
}

const FIELDS = [
  {
    name: "url",
    label: "URL",
    type: "url",
    required: true,
    placeholder: "https://example.com/hook",
  },
  { name: "events", label: "Events", type: "checks", options: EVENTS, value: EVENTS },
];

const badgeText = (text, tone) => h("span", { class: `badge badge-${tone}` }, text);

function createDialog(changed) {
  formDialog({
    title: "New endpoint",
    action: "Add the endpoint",
    fields: FIELDS,
    async submit({ url, events }, options) {
      const { signingSecret } = await post("/v1/webhooks", { url, events }, options);
      changed();
      secretDialog({
        title: "The signing secret",
        text: "Check the signature of every request with it. It is shown only once.",
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
  const list = pagedList(
    (page) => get(path`/v1/webhooks/${id}/deliveries`, { ...page, status }),
    "deliveries",
  );
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
        holdSlot("delivery"),
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
            list.reset();
            void again(false);
          },
        ),
      ),
      deliveries,
    ),
  ]);
  const again = load(deliveries, list.fetch, ({ rows, hasMore }) => [
    deliveryTable(id, rows, () => again()),
    h(
      "div",
      { class: "more" },
      moreButton(list, hasMore, () => again()),
    ),
  ]);
  const aboutAgain = load(
    about,
    async () => ({
      ...(await get(path`/v1/webhooks/${id}`)),
      isLeaving: isPending(`webhook:${id}`),
    }),
    (endpoint) => endpointFacts(endpoint, { tested: () => again(), changed: () => aboutAgain() }),
    3,
  );
  whenPending(() => aboutAgain(), view.signal);
  // The result of a delivery that was just sent is known a moment later.
  view.live(() => setTimeout(again.live, 500));
}

function endpointFacts(endpoint, { tested, changed }) {
  const { id, url, events, createdAt, disabledAt, isLeaving } = endpoint;
  const where = path`/v1/webhooks/${id}`;
  const test = async () => {
    const send = (options) => post(`${where}/test`, undefined, options);
    if (await once(`Test event to ${url}`, send, "A test event is on its way.")) tested();
  };
  const change = (text, send) => later({ name: `webhook:${id}`, text, send });
  const setDisabled = (disabled) => (options) => patch(where, { disabled }, options);
  const actions = disabledAt
    ? [button("Enable", () => change(`Enabling ${url}.`, setDisabled(false)))]
    : [
        button("Send a test event", test),
        button("Edit", () => editEndpoint(endpoint, changed)),
        button("Disable", () => change(`Disabling ${url}.`, setDisabled(true))),
        button("Delete", () => {
          change(`Deleting ${url}.`, (options) => remove(where, null, options));
          location.hash = "#/webhooks";
        }),
      ];
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
      ["Created", dateTime(createdAt)],
      ["Disabled", disabledAt ? dateTime(disabledAt) : null],
    ]),
    isLeaving
      ? h("p", { class: "hint" }, "A change is about to be sent.")
      : h("div", { class: "actions" }, actions),
  );
}

function editEndpoint({ id, url }, changed) {
  const where = path`/v1/webhooks/${id}`;
  editDialog({
    title: `Edit ${url}`,
    fields: FIELDS,
    async load() {
      const { version, ...values } = await get(where);
      return { values, version };
    },
    save: (changes, { match }) => patch(where, changes, { match }),
    saved: changed,
  });
}

/** The name of an event, which may be broken after its dot. */
const breakable = (type) =>
  type.split(".").flatMap((word, at) => (at ? [".", h("wbr"), word] : word));

function deliveryTable(id, rows, changed) {
  if (rows.length === 0)
    return emptyState("No deliveries", "There is one for each event and endpoint.");
  const redeliver = async (delivery) => {
    const where = path`/v1/webhooks/${id}/deliveries/${delivery.id}/redeliver`;
    const send = (options) => post(where, undefined, options);
    if (await once(`Resend ${delivery.type}, ${delivery.id}`, send, "It is sent again.")) changed();
  };
  return table(
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
    rows,
    { keyOf: (delivery) => delivery.id, hold: "delivery" },
  );
}
