// The parser of event streams: whatever way a stream is cut, the same events come out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser } from "../../../crates/dashboard/ui/core/sse.js";

function parsed(...pieces) {
  const seen = { events: [], retries: [], comments: [] };
  const parser = new EventParser({
    onEvent: (event) => seen.events.push(event),
    onRetry: (pause) => seen.retries.push(pause),
    onComment: (comment) => seen.comments.push(comment),
  });
  for (const piece of pieces) parser.push(piece);
  return seen;
}

const STREAM = 'retry: 2000\n\nevent: hello\ndata: {"a":1}\n\nevent: snapshot\nid: 12\ndata: {"b":\ndata: 2}\n\n: beat\n\nevent: event\ndata: {}\n\n';

test("an agent's stream is taken apart", () => {
  const { events, retries, comments } = parsed(STREAM);
  assert.deepEqual(events.map(({ event, data }) => [event, data]), [["hello", '{"a":1}'], ["snapshot", '{"b":\n2}'], ["event", "{}"]]);
  assert.equal(events[1].id, "12");
  assert.deepEqual(retries, [2000]);
  assert.deepEqual(comments, ["beat"]);
});

test("it does not matter where it is cut, nor how lines end", () => {
  const whole = parsed(STREAM).events;
  for (const ends of ["\n", "\r\n", "\r"]) {
    const stream = STREAM.replaceAll("\n", ends);
    assert.deepEqual(parsed(...stream).events, whole, JSON.stringify(ends));
    for (let cut = 0; cut <= stream.length; cut += 1) {
      assert.deepEqual(parsed(stream.slice(0, cut), stream.slice(cut)).events, whole, `${JSON.stringify(ends)} cut at ${cut}`);
    }
  }
});

test("an event that is not finished is not given out", () => {
  assert.deepEqual(parsed("event: snapshot\ndata: {}\n").events, []);
});

test("what is no field is passed over", () => {
  const { events, retries } = parsed("nonsense\nretry: soon\nid: a\0b\ndata: x\n\n");
  assert.deepEqual(events, [{ event: "message", data: "x", id: undefined }]);
  assert.deepEqual(retries, []);
});

test("a line without an end is an error and no leak", () => {
  const parser = new EventParser({ onEvent: () => {} });
  const piece = "x".repeat(1024 * 1024);
  assert.throws(() => { for (let number = 0; number < 100; number += 1) parser.push(piece); }, /no end/);
});
