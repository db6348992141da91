// What somebody began to write, by conversation. It outlives events, other pages and a reload, and
// goes with the tab, or when somebody signs out.

const SLOT = "stampcard.draft:";

/**
 * @param {string} name a conversation's id, or that of a program for one that is not started yet
 * @returns {string}
 */
export const draftOf = (name) => sessionStorage.getItem(SLOT + name) ?? "";

/**
 * @param {string} name
 * @param {string} text nothing forgets it
 */
export function keepDraft(name, text) {
  try {
    if (text) sessionStorage.setItem(SLOT + name, text);
    else sessionStorage.removeItem(SLOT + name);
  } catch {
    // There is no room for it; it still stands in the field.
  }
}
