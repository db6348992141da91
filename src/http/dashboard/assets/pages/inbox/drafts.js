// What somebody began to write, by conversation. It outlives events, other pages and a reload, and
// goes with the tab, or when its keys are signed out.

const SLOT = "stampcard.draft:";

/**
 * @param {string} name a conversation's id, or `new`
 * @returns {string}
 */
export const draftOf = (name) => sessionStorage.getItem(SLOT + name) ?? "";

/**
 * @param {string} name
 * @param {string} text nothing forgets it
 */
export function keepDraft(name, text) {
  if (text) sessionStorage.setItem(SLOT + name, text);
  else sessionStorage.removeItem(SLOT + name);
}
