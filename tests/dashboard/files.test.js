// Files that are sent: which ones are accepted, how they are described, and their upload.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";

// The browser features that the modules need.
const slots = new Map([["stampcard.key", "expys_sandbox_one"]]);
globalThis.sessionStorage = {
  getItem: (slot) => slots.get(slot) ?? null,
  setItem: (slot, text) => slots.set(slot, text),
  removeItem: (slot) => slots.delete(slot),
};
// Node 18 has it elsewhere.
globalThis.crypto ??= webcrypto;
const signedOut = [];
globalThis.document = { dispatchEvent: ({ detail }) => signedOut.push(detail) };
globalThis.CustomEvent ??= class {
  constructor(type, { detail }) {
    Object.assign(this, { type, detail });
  }
};

/** The requests that were made, each to be answered by the test. */
const requests = [];
globalThis.XMLHttpRequest = class {
  upload = {};
  headers = {};

  constructor() {
    requests.push(this);
  }

  open(method, where) {
    Object.assign(this, { method, where });
  }

  setRequestHeader(name, value) {
    this.headers[name] = value;
  }

  send(body) {
    this.body = body;
  }

  abort() {
    this.onabort();
    this.onloadend();
  }

  getResponseHeader() {
    return "req_1";
  }

  answer(status, text) {
    Object.assign(this, { status, responseText: text });
    this.onload();
    this.onloadend();
  }
};

const { ApiError } = await import("../../src/http/dashboard/assets/lib/api.js");
const { FILE_BYTES_MAX, fileFault, fileText, sizeText, upload } =
  await import("../../src/http/dashboard/assets/lib/files.js");

const png = { name: "a.png", type: "image/png", size: 1000 };

test("what the server would refuse is refused before it is sent", () => {
  assert.equal(fileFault(png), null);
  assert.equal(fileFault({ ...png, size: 1 }), null);
  assert.equal(fileFault({ ...png, size: FILE_BYTES_MAX }), null);
  const tooLarge = fileFault({ ...png, size: FILE_BYTES_MAX + 1 });
  assert.match(tooLarge, /^a\.png has 1 MB\. The largest .* 1 MiB\.$/);
  assert.equal(fileFault({ ...png, size: 0 }), "a.png is empty.");
  for (const type of ["", "image/gif", "text/html", "toString"]) {
    assert.match(fileFault({ name: "b", type, size: 10 }), /^b cannot be sent: choose a PNG/, type);
  }
});

test("sizes are short", () => {
  for (const [bytes, text] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [12345, "12 kB"],
    [999499, "999 kB"],
    [999500, "1 MB"],
    [1048576, "1 MB"],
  ]) {
    assert.equal(sizeText(bytes), text);
  }
  assert.equal(fileText(png), "PNG image · 1 kB");
});

test("an upload sends the file with its type, its key and the credential, and tells how far it is", async () => {
  const file = new Blob(["%PDF-"], { type: "application/pdf" });
  const shares = [];
  const progress = (share) => shares.push(share);
  const sent = upload("/v1/x?name=a", file, { key: "once", progress });
  const request = requests.at(-1);
  assert.equal(request.method, "POST");
  assert.equal(request.where, "/v1/x?name=a");
  assert.equal(request.body, file);
  assert.deepEqual(request.headers, {
    Accept: "application/json",
    Authorization: "Bearer expys_sandbox_one",
    "Content-Type": "application/pdf",
    "Idempotency-Key": "once",
  });
  request.upload.onprogress({ loaded: 1, total: 4 });
  request.upload.onprogress({ loaded: 4, total: 4 });
  request.answer(201, '{"id":"msg_1"}');
  assert.deepEqual(await sent, { id: "msg_1" });
  assert.deepEqual(shares, [0.25, 1]);
});

test("an upload that fails tells why, and whether it may have arrived", async () => {
  const failed = async (end) => {
    const sent = upload("/v1/x", new Blob([]));
    end(requests.at(-1));
    const error = await sent.catch((reason) => reason);
    assert.ok(error instanceof ApiError);
    return error;
  };
  const body = '{"error":{"code":"LIMIT_REACHED","message":"a program can send at most"}}';
  const refused = await failed((request) => request.answer(422, body));
  assert.equal(refused.message, "a program can send at most");
  assert.deepEqual([refused.status, refused.code], [422, "LIMIT_REACHED"]);
  assert.equal(refused.requestId, "req_1");
  assert.equal(refused.isUnknown, false);
  const strange = await failed((request) => request.answer(502, "<html>"));
  assert.equal(strange.message, "The server answered 502.");
  assert.equal(strange.isUnknown, true);
  const cut = await failed((request) => {
    request.onerror();
    request.onloadend();
  });
  assert.equal(cut.isUnknown, true);
  assert.equal((await failed((request) => request.abort())).isUnknown, true);
  assert.deepEqual(signedOut, []);
  const out = await failed((request) => request.answer(401, '{"error":{"message":"no"}}'));
  assert.deepEqual(signedOut, [out]);
});
