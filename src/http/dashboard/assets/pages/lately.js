// Recent activity: the newest redemptions, and above them the events of the stream since the page
// was opened.

import { get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { day, number, timeText } from "../lib/format.js";
import { holdSlot } from "../lib/hold.js";
import { card, link } from "../lib/parts.js";
import { load } from "../lib/states.js";
import { label } from "../lib/statuses.js";

const SHOWN = 8;
/** The number of members whose names are cached; the least recently used are dropped first. */
const NAMES_MAX = 200;

/**
 * @param {any} view
 * @param {() => Promise<any[]>} offersOf requests the offers
 */
export function latelyCard(view, offersOf) {
  const place = h("div");
  const arrived = [];
  const names = namesOf();
  const again = load(
    place,
    async () => {
      const [{ redemptions }, offers] = await Promise.all([
        get("/v1/redemptions", { limit: SHOWN }),
        offersOf(),
      ]);
      redemptions.forEach((row) => names.learn(row.externalUserID, row.displayName));
      const earlier = redemptions
        .map((data) => ({ name: "redemption.created", at: data.createdAt, data }))
        .filter(({ data }) => !arrived.some((event) => event.data.id === data.id));
      const titles = new Map(offers.map(({ id, title }) => [id, title]));
      const events = [...arrived, ...earlier].slice(0, SHOWN);
      return Promise.all(
        events.map(async ({ name, at, data }) => ({
          key: `${name}-${data.id ?? data.externalUserID}-${at}`,
          at,
          id: data.externalUserID,
          who: data.externalUserID && (await names.of(data.externalUserID)),
          what: told(name, data, titles.get(data.offer) ?? "an offer"),
        })),
      );
    },
    latelyList,
  );
  view.live((events) => {
    for (const { name, data } of events) {
      // The redemption event already covers its spend and refund, and a debit the expiry. Events of
      // wallets of programs and of pools are about no member.
      if (!data || data.data?.redemptionID || name === "balance.expired") continue;
      if (!data.data?.externalUserID) continue;
      arrived.unshift({ name, at: data.createdAt, data: data.data ?? {} });
      if (name.startsWith("member.")) names.learn(data.data.externalUserID, data.data.displayName);
    }
    arrived.splice(SHOWN);
    again.live();
  });
  const title = h("h2", { class: "card-title" }, "Lately");
  return card(null, h("div", { class: "card-head" }, title, holdSlot("lately")), place);
}

/** The members' names, each requested once. */
function namesOf() {
  /** @type {Map<string, Promise<string>>} */
  const known = new Map();
  const remember = (id, name) => {
    known.delete(id);
    known.set(id, name);
    if (known.size > NAMES_MAX) known.delete([...known.keys()][0]);
    return name;
  };
  return {
    learn: (id, name) => void remember(id, Promise.resolve(name || id)),
    of(id) {
      const asked = () =>
        get(path`/v1/members/${id}`, { includeArchived: true })
          .then(({ displayName }) => displayName || id)
          // An erased member has no name.
          .catch(() => id);
      return known.get(id) ?? remember(id, asked());
    },
  };
}

function latelyList(rows) {
  if (rows.length === 0) return h("p", { class: "hint" }, "New activity will appear here.");
  return h(
    "ul",
    { class: "feed", "data-hold": "lately" },
    rows.map(({ key, at, id, who, what }) =>
      h(
        "li",
        { "data-key": key },
        h("span", {}, id && link(`members/${encodeURIComponent(id)}`, who), ` ${what}`),
        timeText(at),
      ),
    ),
  );
}

/** An event of the catalogue as the rest of a sentence about a member. */
function told(name, data, offer) {
  switch (name) {
    case "redemption.created":
      return `redeemed ${offer}`;
    case "wallet.credited":
      return data.amount ? `received ${number(data.amount)} points` : "received points";
    case "wallet.debited":
      if (data.reason === "expired") return `lost ${number(data.amount)} points that expired`;
      return data.amount ? `gave ${number(data.amount)} points` : "gave points";
    case "wallet.expiring":
      return `has ${number(data.amount)} points that expire on ${day(data.at)}`;
    case "member.created":
      return "joined";
    case "member.tier_changed":
      return data.tier ? `is ${data.tier} now` : "changed tier";
    case "member.removed":
      return "was removed";
    case "conversation.message_created":
      return "has a new message";
    default:
      return `${offer}: ${label(name.slice("redemption.".length).toUpperCase()).toLowerCase()}`;
  }
}
