// Merging of two changes.

import assert from "node:assert/strict";
import test from "node:test";

import { compare } from "../../src/http/dashboard/assets/lib/merge.js";

test("every field is ours, theirs, both's or nobody's", () => {
  const texts = ["a", "b", "c"];
  for (const base of texts) {
    for (const mine of texts) {
      for (const theirs of texts) {
        const found = compare({ x: base }, { x: mine }, { x: theirs });
        const isMine = mine !== base && mine !== theirs;
        const isTheirs = theirs !== base;
        assert.deepEqual(found, {
          mine: isMine && !isTheirs ? ["x"] : [],
          theirs: !isMine && isTheirs ? ["x"] : [],
          both: isMine && isTheirs ? ["x"] : [],
        });
      }
    }
  }
});

test("lists and boxes are compared by what they hold", () => {
  const base = { list: ["a"], box: false, text: "" };
  const found = compare(base, { ...base, list: ["a"], box: true }, { ...base, list: ["a", "b"] });
  assert.deepEqual(found, { mine: ["box"], theirs: ["list"], both: [] });
});
