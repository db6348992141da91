// Redeems an offer for a member at the till.

import { all, post } from "../../lib/api.js";
import { formDialog } from "../../lib/dialogs.js";
import { h } from "../../lib/dom.js";
import { count, points } from "../../lib/format.js";
import { attempt, notify } from "../../lib/notices.js";

/**
 * Asks for one of the offers that the member can redeem now, and redeems it.
 * @param {any} member
 * @param {string} symbol
 * @param {() => void} changed
 */
export async function redeemFor(member, symbol, changed) {
  const { externalUserID, displayName, wallet } = member;
  const name = displayName ?? externalUserID;
  let offers = [];
  const isKnown = await attempt(async () => {
    offers = await all("/v1/offers", "data", { externalUserID, available: true });
  });
  if (!isKnown) return;
  const priceOf = (offer) => offer.pointsPrice ?? 0;
  const payable = offers.filter((offer) => priceOf(offer) <= wallet.balance);
  const dearer = offers.length - payable.length;
  const note = dearer > 0 ? ` ${count(dearer, "offer costs", "offers cost")} more than that.` : "";
  const holds = `The wallet holds ${points(wallet.balance, symbol)}.${note}`;
  if (payable.length === 0) {
    notify(`${name} can redeem nothing now. ${holds}`, "bad");
    return;
  }
  const after = h("span", { "data-after": "" });
  const say = (id) => {
    const price = priceOf(payable.find((offer) => offer.id === id));
    after.textContent = `${points(wallet.balance - price, symbol)} will be left.`;
  };
  say(payable[0].id);
  const asText = (offer) => `${offer.title} · ${points(priceOf(offer), symbol)}`;
  formDialog({
    name: `Redeem for ${externalUserID}`,
    title: `Redeem for ${name}`,
    text: holds,
    action: "Redeem",
    fields: [
      {
        name: "offer",
        label: "Offer",
        type: "select",
        required: true,
        options: payable.map((offer) => [offer.id, asText(offer)]),
        hint: after,
        onchange: ({ target }) => say(target.value),
      },
    ],
    async submit({ offer }, options) {
      const { code } = await post("/v1/redemptions", { externalUserID, offer }, options);
      const title = payable.find(({ id }) => id === offer)?.title ?? "The offer";
      notify(`${title} is redeemed for ${name}.${code ? ` The code is ${code}.` : ""}`);
      changed();
    },
  });
}
