// Marks the part of a text that a search has found. The API decides who is found; this only shows
// why.

import { h } from "./dom.js";

const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/**
 * As the search compares words: without case, accents and forms of writing.
 * @param {string} text
 */
const fold = (text) =>
  text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toUpperCase()
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll("ς", "σ");

/**
 * Returns the text with the matches in `mark` elements.
 * @param {string} text
 * @param {string} search
 * @returns {any[]}
 */
export const marked = (text, search) =>
  partsOf(text, search).map((part, at) => (at % 2 === 1 ? h("mark", {}, part) : part));

/**
 * Returns the text in parts: every second one is the beginning of a word that matches a word of the
 * search.
 * @param {string} text
 * @param {string} search
 * @returns {string[]}
 */
export function partsOf(text, search) {
  const terms = (search.match(WORD) ?? []).map(fold).filter(Boolean);
  const parts = [];
  let end = 0;
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const length = Math.max(0, ...terms.map((term) => lengthOf(word, term)));
    if (length === 0) continue;
    parts.push(text.slice(end, index), word.slice(0, length));
    end = index + length;
  }
  return [...parts, text.slice(end)];
}

/**
 * Returns how much of the beginning of a word matches a term; 0 if the word does not begin with it.
 * @param {string} word
 * @param {string} term
 */
function lengthOf(word, term) {
  if (!fold(word).startsWith(term)) return 0;
  let length = 0;
  for (const character of word) {
    length += character.length;
    if (fold(word.slice(0, length)).length >= term.length) break;
  }
  // Combining marks of the last letter are marked with it.
  return length + (/^\p{M}+/u.exec(word.slice(length))?.[0].length ?? 0);
}
