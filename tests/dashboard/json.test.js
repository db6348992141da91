// JSON as text: cutting values out of it, and inserting them.

import assert from "node:assert/strict";
import test from "node:test";

import {
  RawJson,
  jsonText,
  objectText,
  prettyJson,
  rawText,
} from "../../src/http/dashboard/assets/lib/json.js";

test("the text of a value is cut out as it stands", () => {
  const values = [
    '{"n":9007199254740993, "d": 1.10 }',
    '{ "a" : [ 1e400 , { "}": "\\"]" } ] , "b":{}}',
    '"a\\\\"',
    "[]",
    "-0.0",
    "true",
    '"\\u00e9, é: {"',
  ];
  for (const value of values) {
    for (const space of ["", " ", "\n\t "]) {
      const text = `${space}{${space}"x"${space}:${space}[1,${value}${space}]${space},"y":{"x":${value}}}`;
      assert.equal(rawText(text, "x", 1), value);
      assert.equal(rawText(text, "y", "x"), value);
      assert.equal(rawText(text, "x", 0), "1");
    }
  }
});

test("what is not there, or null, has no text", () => {
  const text = '{"a":null,"b":[],"c":1,"d":{}}';
  for (const path of [["a"], ["b", 0], ["c", "x"], ["d", "x"], ["e"], ["a", "b"]]) {
    assert.equal(rawText(text, ...path), null);
  }
});

test("of members with one name the last one counts, and names may be escaped", () => {
  assert.equal(rawText('{"a":1,"b":2,"a":3}', "a"), "3");
  assert.equal(rawText('{"\\u0061":{"x":1.0}}', "a", "x"), "1.0");
});

test("what is sent as text stays as it is, and the rest is JSON", () => {
  const raw = '{"n": 9007199254740993}';
  const body = {
    name: 'é"\n',
    left: undefined,
    none: null,
    raw: new RawJson(raw),
    list: [1, true],
  };
  assert.equal(jsonText(body), `{"name":"é\\"\\n","none":null,"raw":${raw},"list":[1,true]}`);
  assert.deepEqual(JSON.parse(jsonText({ a: { b: [{}] } })), { a: { b: [{}] } });
});

test("only an object is one, and what is wrong is said", () => {
  assert.equal(objectText("", "It"), null);
  assert.equal(objectText('{"a": 1.10}', "It"), '{"a": 1.10}');
  for (const text of ["[]", "null", "1", '"a"', "{a: 1}", '{"a": 1}}', "{"]) {
    assert.throws(() => objectText(text, "It"), /^Error: It must be a JSON object/, text);
  }
});

test("reading is made easier by white space alone", () => {
  const text = '{"a":[1.10,{"b":9007199254740993}],"c":{ },"d":[ ],"e":"{,:"}';
  const pretty = prettyJson(text);
  assert.deepEqual(JSON.parse(pretty), JSON.parse(text));
  assert.equal(pretty.replaceAll(/\s/g, ""), text.replaceAll(/\s/g, ""));
  assert.equal(prettyJson('{"a":[1,{}]}'), '{\n  "a": [\n    1,\n    {}\n  ]\n}');
  for (const each of ["{}", "[]", "1.0", '"a b"', " { } "]) {
    assert.equal(prettyJson(each), each.replaceAll(" }", "}").trim().replace("{ ", "{"));
  }
});
