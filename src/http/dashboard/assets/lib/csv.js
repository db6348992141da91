// Tables as files that a spreadsheet opens.

import { h } from "./dom.js";

/** Where a spreadsheet would begin to run a text, as src/cli/tables.rs has it. */
const RUN =
  /^(?=[\t\r]|[\s"']*[=+\-@＝＋－＠])|(?<=[;\t\r\n])(?=[^\S\t\r\n"']*[ "']*[=+\-@＝＋－＠])/g;

/**
 * Rows of cells as CSV. What a spreadsheet would take for a formula is made text; numbers stay
 * numbers.
 * @param {(string | number | null | undefined)[][]} rows
 * @returns {string}
 */
export function toCsv(rows) {
  return rows.map((row) => row.map(cell).join(",")).join("\r\n");
}

/** @param {string | number | null | undefined} value */
function cell(value) {
  const text = typeof value === "string" ? value.replace(RUN, "'") : String(value ?? "");
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Hands a text to the reader as a file.
 * @param {string} name
 * @param {string} text
 */
export function saveText(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  save(name, url);
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/**
 * Hands what an address leads to to the reader as a file.
 * @param {string} name
 * @param {string} url
 */
export function save(name, url) {
  const anchor = h("a", { href: url, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
