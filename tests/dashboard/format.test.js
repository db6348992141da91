// Numbers, points and times as text.

import assert from "node:assert/strict";
import test from "node:test";

import { asReader } from "./reader.js";

const NUMBERS = `return [lib.number(1234567), lib.percent(0.125), lib.changed(150, 100),
  lib.changed(50, 100), lib.points(1200, "pts"), lib.count(1, "member"), lib.count(0, "member"),
  lib.count(1000, "entry", "entries"), lib.short(9999, 9999), lib.short(12000, 20000),
  lib.dollars(38), lib.dollars(1234.5)];`;

/** Some languages separate digits by non-breaking spaces. */
const plain = (texts) => texts.map((text) => text.replace(/[\u00a0\u202f]/g, " "));

test("numbers are written as the reader's language does", () => {
  const read = (language) => plain(asReader({ language, zone: "UTC" }, "format.js", NUMBERS));
  assert.deepEqual(read("en_US"), [
    ...["1,234,567", "12.5%", "+50%", "-50%", "1,200 pts", "1 member", "0 members"],
    ...["1,000 entries", "9,999", "12K", "$38", "$1,234.50"],
  ]);
  assert.deepEqual(read("de_DE").slice(0, 5), [
    ...["1.234.567", "12,5 %", "+50 %", "-50 %", "1.200 pts"],
  ]);
});

test("an amount keeps all its decimals and digits", () => {
  const lines = `return ["0", "1250.50", "-0.25", "9007199254.740991"].map(lib.decimal);`;
  const read = (language) => plain(asReader({ language, zone: "UTC" }, "format.js", lines));
  assert.deepEqual(read("en_US"), ["0", "1,250.50", "-0.25", "9,007,199,254.740991"]);
  assert.deepEqual(read("de_DE"), ["0", "1.250,50", "-0,25", "9.007.199.254,740991"]);
});

test("nothing to compare with is no change, and not an infinite one", () => {
  const lines = "return [lib.changed(5, 0), lib.changed(0, 5), lib.changed(0, 0)];";
  const changes = asReader({ language: "en_US", zone: "UTC" }, "format.js", lines);
  assert.deepEqual(changes, [null, "-100%", null]);
});

const TIMES = `return [lib.day("2026-06-30T23:30:00Z"), lib.dateTime("2026-06-30T23:30:00Z"),
  lib.day(null), lib.dateTime(undefined)];`;

test("times are written in the reader's zone and form", () => {
  const read = (language, zone) => plain(asReader({ language, zone }, "format.js", TIMES));
  const none = ["–", "–"];
  assert.deepEqual(read("en_US", "UTC"), ["Jun 30, 2026", "Jun 30, 2026, 11:30 PM", ...none]);
  assert.deepEqual(read("en_US", "Asia/Tokyo"), ["Jul 1, 2026", "Jul 1, 2026, 8:30 AM", ...none]);
  assert.deepEqual(read("en_GB", "America/New_York"), [
    ...["30 Jun 2026", "30 Jun 2026, 19:30"],
    ...none,
  ]);
  assert.deepEqual(read("de_DE", "Europe/Berlin"), ["01.07.2026", "01.07.2026, 01:30", ...none]);
});

const AGO = `const now = Date.now();
  return [5, 59, 61, 3599, 7200, 86400, 86400 * 45, 86400 * 800, -7200].map((seconds) =>
    lib.ago(new Date(now - seconds * 1000 - 100).toISOString()));`;

test("how long ago is said in the largest unit that fits", () => {
  assert.deepEqual(asReader({ language: "en_US", zone: "UTC" }, "format.js", AGO), [
    ...["5 sec. ago", "59 sec. ago", "1 min. ago", "60 min. ago", "2 hr. ago", "yesterday"],
    ...["2 mo. ago", "2 yr. ago", "in 2 hr."],
  ]);
});

const WHEN = `const now = Date.now();
  return [7200, 86000].map((seconds) => lib.when(now - seconds * 1000 - 100))
    .concat(lib.when("2019-06-30T10:00:00Z"), lib.when("2319-06-30T10:00:00Z"));`;

test("what is more than a day away has its date", () => {
  assert.deepEqual(asReader({ language: "en_US", zone: "UTC" }, "format.js", WHEN), [
    ...["2 hr. ago", "24 hr. ago", "Jun 30, 2019", "Jun 30, 2319"],
  ]);
});
