// The tiers that members have.

import { get } from "./api.js";

/**
 * Tiers to choose from: that of a new member, and those of members who came last.
 * @param {string} defaultTier
 * @returns {Promise<string[]>}
 */
export async function tiersInUse(defaultTier) {
  const { members } = await get("/v1/members", { limit: 100 });
  const tiers = members.map((/** @type {{ tier: string }} */ { tier }) => tier);
  return [...new Set([defaultTier, ...tiers])].sort();
}

/**
 * Those of some tiers that no member has.
 * @param {string[]} tiers
 * @returns {Promise<string[]>}
 */
export async function tiersOfNobody(tiers) {
  const isEmpty = async (/** @type {string} */ tier) => {
    const { members } = await get("/v1/members", { tier, limit: 1 });
    return members.length === 0;
  };
  const answers = await Promise.all(tiers.map(isEmpty));
  return tiers.filter((_, at) => answers[at]);
}
