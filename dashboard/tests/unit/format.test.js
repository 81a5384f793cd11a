import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ago,
  bytes,
  count,
  decimal,
  duration,
  lowerIsBetter,
  metricChange,
  metricValue,
  roughDuration,
  visible,
} from '../../src/format.js';

/** Numbers and units are kept together by a space that does not break. @param {string} text */
const plain = (text) => text.replaceAll('\u00a0', ' ');

test('bytes have decimal units', () => {
  assert.equal(plain(bytes(0)), '0 B');
  assert.equal(plain(bytes(999)), '999 B');
  assert.equal(plain(bytes(1000)), '1.00 kB');
  assert.equal(plain(bytes(999_999)), '1.00 MB');
  assert.equal(plain(bytes(12_345_678)), '12.3 MB');
  assert.equal(bytes(null), '–');
});

test('durations have two units at most', () => {
  assert.equal(plain(duration(0.4211)), '0.42 s');
  assert.equal(plain(duration(59.96)), '1 min');
  assert.equal(plain(duration(185)), '3 min 5 s');
  assert.equal(plain(duration(7_440)), '2 h 4 min');
  assert.equal(plain(duration(90_000)), '1 d 1 h');
  assert.equal(duration(NaN), '–');
  assert.equal(plain(roughDuration(0.2)), 'under 1 s');
  assert.equal(plain(roughDuration(72)), '1 min 10 s');
});

test('numbers that are not finite are unknown', () => {
  for (const value of [null, undefined, NaN, Infinity]) assert.equal(decimal(value), '–');
  assert.equal(count(12_345), '12,345');
  assert.equal(decimal(0), '0');
  assert.equal(decimal(0.00012), '1.20e-4');
});

test('fractions are shown in per cent, other metrics as they are', () => {
  assert.equal(plain(metricValue('accuracy', 0.8642)), '86.4 %');
  assert.equal(metricValue('loss', 0.8642), '0.8642');
  assert.equal(plain(metricChange('accuracy', 0.021)), '+2.1 points');
  assert.equal(metricChange('loss', -0.5), '−0.5000');
});

test('the rule for better values is that of the store', () => {
  for (const name of ['loss', 'personal loss', 'word error rate', 'Perplexity', 'MSE', 'rmse', 'mae'])
    assert.ok(lowerIsBetter(name), name);
  for (const name of ['accuracy', 'auc', 'maelstrom', 'f1']) assert.ok(!lowerIsBetter(name), name);
});

test('marks of direction and control characters become visible', () => {
  assert.equal(visible('a\u202Eb\u200Bc\u0000d\ne'), 'a\\u202eb\\u200bc\\u0000d\\ne');
  assert.equal(visible('שלום <b>'), 'שלום <b>');
});

test('times long ago have one unit', () => {
  const now = Date.parse('2026-11-30T12:00:00Z');
  assert.equal(plain(ago('2026-11-30T11:57:10Z', now)), '2 min ago');
  assert.equal(ago('2026-11-30T12:00:03Z', now), 'now');
  assert.equal(ago(null, now), '–');
});
