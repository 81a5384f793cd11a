import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffSeconds, EventParser } from '../../src/stream.js';

const text = ': hello\n\nid: 7\nevent: round\ndata: {"a":\ndata: 1}\n\ndata: plain\n\nevent: nothing\n\n';
const expected = [
  { id: '7', event: 'round', data: '{"a":\n1}' },
  { id: '7', event: 'message', data: 'plain' },
];

test('events are the same wherever the stream is cut', () => {
  for (const stream of [text, text.replaceAll('\n', '\r\n')]) {
    for (let size = 1; size <= stream.length; size++) {
      const parser = new EventParser();
      const events = [];
      for (let start = 0; start < stream.length; start += size)
        events.push(...parser.push(stream.slice(start, start + size)));
      assert.deepEqual(events, expected, `pieces of ${size}`);
    }
  }
});

test('a half event is not given out', () => {
  assert.deepEqual(new EventParser().push('event: round\ndata: 1\n'), []);
});

test('attempts become rarer, up to 15 s', () => {
  assert.deepEqual([1, 2, 3, 6, 20].map(backoffSeconds), [0.5, 1, 2, 15, 15]);
});
