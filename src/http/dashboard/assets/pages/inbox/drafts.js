// Unsent messages, by conversation. They survive events, other pages and a reload, and are deleted
// when the tab is closed or the user signs out.

const SLOT = "stampcard.draft:";

/**
 * @param {string} name a conversation's id, or that of a program for one that is not started yet
 * @returns {string}
 */
export const draftOf = (name) => sessionStorage.getItem(SLOT + name) ?? "";

/**
 * @param {string} name
 * @param {string} text an empty text deletes it
 */
export function keepDraft(name, text) {
  try {
    if (text) sessionStorage.setItem(SLOT + name, text);
    else sessionStorage.removeItem(SLOT + name);
  } catch {
    // The storage is full; the text is still in the field.
  }
}
