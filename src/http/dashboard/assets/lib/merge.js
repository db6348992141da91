// Two changes to the same object.

/** @typedef {Record<string, any>} Answers what a form holds: text, true or false, or a list of texts */

/**
 * Divides two changes to the same object into ours, theirs and both's. Equal changes are theirs:
 * there is nothing left to send.
 * @param {Answers} base what was loaded
 * @param {Answers} mine the values of the form
 * @param {Answers} theirs the present values
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
