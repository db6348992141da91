// The tiers that members have.

import { get } from "./api.js";

/**
 * Returns tiers to choose from: the one of a new member, and those with the most members.
 * @param {string} defaultTier
 * @returns {Promise<string[]>}
 */
export async function tiersInUse(defaultTier) {
  const { tiers } = await get("/v1/tiers");
  const names = tiers.map((/** @type {{ tier: string }} */ { tier }) => tier);
  return [...new Set([defaultTier, ...names])].sort();
}

/**
 * Returns those of some tiers that no member has.
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
