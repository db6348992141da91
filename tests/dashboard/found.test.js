// Matches of a search in a name, and the escaping of formulas for spreadsheets.

import assert from "node:assert/strict";
import test from "node:test";

import { Exact, toCsv } from "../../src/http/dashboard/assets/lib/csv.js";
import { partsOf } from "../../src/http/dashboard/assets/lib/found.js";

/** The text with matches in brackets. */
const found = (text, search) =>
  partsOf(text, search)
    .map((part, at) => (at % 2 === 1 ? `[${part}]` : part))
    .join("");

test("what a search has found begins a word, whatever its case and accents", () => {
  const cases = [
    ["Die Ärzte", "arz", "Die [Ärz]te"],
    ["A\u0308rzte", "a", "[A\u0308]rzte"],
    ["Γιώργος", "γιωργοσ", "[Γιώργος]"],
    ["Straße 7", "strass", "[Straß]e 7"],
    ["İstanbul", "is", "[İs]tanbul"],
    ["Сергей", "СЕРГЕИ", "[Сергей]"],
    ["Ｆｕｌｌ ﬁnn", "fu fi", "[Ｆｕ]ｌｌ [ﬁ]nn"],
    ["user_42", "42 u", "[u]ser_[42]"],
    ["Bob", "ob", "Bob"],
    ["Ada", "", "Ada"],
    ["Ada", "%", "Ada"],
    ["", "a", ""],
    ["🦊 Ada O'Brien", "b", "🦊 Ada O'[B]rien"],
  ];
  for (const [text, search, expected] of cases) {
    assert.equal(found(text, search), expected, `${search} in ${text}`);
    assert.equal(partsOf(text, search).join(""), text);
  }
});

test("a spreadsheet runs no text, and numbers stay numbers", () => {
  const cases = [
    ["=1+1", "'=1+1"],
    ["+49 30", "'+49 30"],
    ["-5", "'-5"],
    ["@x", "'@x"],
    ["＝1", "'＝1"],
    ["  =1", "'  =1"],
    ["a;-1", '"a;\'-1"'],
    ["a\n=1", '"a\n\'=1"'],
    ["\t=1", "\"'\t'=1\""],
    ["a = 1", "a = 1"],
    [-5, "-5"],
    [new Exact("-90071992547409.91"), "-90071992547409.91"],
    [new Exact("10.00"), "10.00"],
    [new Exact(7), "7"],
    [null, ""],
    [undefined, ""],
    ['a "b"', '"a ""b"""'],
  ];
  for (const [cell, expected] of cases) assert.equal(toCsv([[cell]]), expected);
  assert.equal(
    toCsv([
      ["a", 0],
      ["b,c", 9007199254740991],
    ]),
    'a,0\r\n"b,c",9007199254740991',
  );
  for (const text of ["", "=1", "-", "1+1", "1.", "1\n", "NaN"]) {
    assert.throws(() => new Exact(text), /is no number/);
  }
});
