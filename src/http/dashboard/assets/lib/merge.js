// Two changes to the same thing.

/** @typedef {Record<string, any>} Answers what a form holds: text, true or false, or a list of texts */

/**
 * What of two changes to the same thing is ours, theirs, or both's. What both changed to the same
 * is theirs: nothing is left to send.
 * @param {Answers} base what was loaded
 * @param {Answers} mine what the form holds
 * @param {Answers} theirs what is there now
 * @returns {{ mine: string[], theirs: string[], both: string[] }} names of fields
 */
export function compare(base, mine, theirs) {
  /** @type {{ mine: string[], theirs: string[], both: string[] }} */
  const found = { mine: [], theirs: [], both: [] };
  for (const name of Object.keys(mine)) {
    const isTheirs = !isSame(theirs[name], base[name]);
    if (isSame(mine[name], base[name]) || isSame(mine[name], theirs[name])) {
      if (isTheirs) found.theirs.push(name);
    } else {
      (isTheirs ? found.both : found.mine).push(name);
    }
  }
  return found;
}

/**
 * @param {unknown} one
 * @param {unknown} other
 * @returns {boolean}
 */
export const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
