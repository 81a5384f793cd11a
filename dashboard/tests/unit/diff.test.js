import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffLines } from '../../src/diff.js';

/** @param {string} before @param {string} after */
const text = (before, after) =>
  diffLines(before, after)
    .map(({ kind, text: line }) => `${{ same: ' ', removed: '-', added: '+' }[kind]}${line}`)
    .join('\n');

test('changed lines are between those that are equal', () => {
  assert.equal(text('a\nb\nc', 'a\nx\nc'), ' a\n-b\n+x\n c');
  assert.equal(text('a\nb', 'a\nb\nc'), ' a\n b\n+c');
  assert.equal(text('a', 'a'), ' a');
});

test('both texts can be put together again', () => {
  const before = 'a\nb\nc\nd\ne\nf\n';
  const after = 'b\na\nc\nx\ne\ng\nf\n';
  const lines = diffLines(before, after);
  assert.equal(
    lines
      .filter(({ kind }) => kind !== 'added')
      .map(({ text: line }) => line)
      .join('\n'),
    before,
  );
  assert.equal(
    lines
      .filter(({ kind }) => kind !== 'removed')
      .map(({ text: line }) => line)
      .join('\n'),
    after,
  );
});

test('texts without a common line, and too long for the table, are removed and added', () => {
  const lines = diffLines('a\n'.repeat(3000), 'b\n'.repeat(3000));
  assert.equal(lines.filter(({ kind }) => kind === 'removed').length, 3000);
});
