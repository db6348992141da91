// The frames of a stream of server-sent events, whatever the sizes of its chunks.

import assert from "node:assert/strict";
import test from "node:test";

import { frames } from "../../src/http/dashboard/assets/lib/stream.js";

const TEXT =
  ": welcome\n\n" +
  'id: 7\nevent: member.created\ndata: {"name":"Zoë 🎉"}\n\n' +
  "data: first\r\ndata:second\r\n\r\n" +
  "event: gap\rdata\r\r" +
  "id\nretry: 5\ndata:  two spaces\n\n" +
  ":\n\n" +
  "id: 9\ndata: never ended";

const FRAMES = [
  { id: "7", name: "member.created", data: '{"name":"Zoë 🎉"}' },
  { id: null, name: "message", data: "first\nsecond" },
  { id: null, name: "gap", data: "" },
  { id: "", name: "message", data: " two spaces" },
];

/** The frames of a body in chunks of the given sizes. */
async function read(text, length) {
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream({
    start(controller) {
      for (let from = 0; from < bytes.length; from += length) {
        controller.enqueue(bytes.slice(from, from + length));
      }
      controller.close();
    },
  });
  const found = [];
  for await (const { id, name, data } of frames(body)) found.push({ id, name, data });
  return found;
}

for (const length of [1, 2, 3, 7, 16, 1024]) {
  test(`pieces of ${length} bytes give the same frames`, async () => {
    assert.deepEqual(await read(TEXT, length), FRAMES);
  });
}

test("a body without a frame gives none", async () => {
  assert.deepEqual(await read("", 1), []);
  assert.deepEqual(await read(": nothing\n\n\n\n", 4), []);
});

test("a reader that stops releases the body", async () => {
  let isCanceled = false;
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
    cancel: () => void (isCanceled = true),
  });
  const reading = frames(body);
  assert.equal((await reading.next()).value.data, "1");
  await reading.return();
  assert.ok(isCanceled);
});
