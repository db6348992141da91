// Who caused something, in words.

/**
 * @typedef {object} Actor an actor, as the API has it
 * @property {string} type
 * @property {string | null} [name]
 * @property {string | null} [keyPrefix]
 */

/** @type {Record<string, string>} */
const OTHERS = {
  member: "by the member",
  partner: "by the partner",
  rule: "by a rule",
  scheduler: "automatically",
  server: "on the server",
};

/**
 * The actor, if the log has recorded it.
 * @param {Actor | null} actor
 * @returns {string}
 */
export function actorText(actor) {
  if (!actor) return "by: not recorded";
  return OTHERS[actor.type] ?? `by the key “${actor.name}” (${actor.keyPrefix}…)`;
}
