import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mainMetric, metricNames, pointsMax, RoundSeries, totals, trusted } from '../../src/series.js';
import { Federation, scenarios } from '../fixture/federation.js';

const federation = new Federation(
  /** @type {import('../fixture/federation.js').Scenario} */ (scenarios['small']),
);
const rounds = (/** @type {number} */ count) =>
  Array.from({ length: count }, (_, index) => federation.round(index + 1));

test('a series grows, and is thinned before it costs too much', () => {
  const series = new RoundSeries(rounds(3), 3);
  assert.equal(series.append(federation.round(3)), false, 'a round counts once');
  for (let round = 4; round <= 3 * pointsMax; round++) series.append(federation.round(round));
  assert.ok(series.rounds.length <= 2 * pointsMax);
  assert.equal(series.rounds[0]?.round, 1);
  assert.equal(series.last, 3 * pointsMax);
  assert.equal(series.newest?.round, 3 * pointsMax);
  assert.ok(series.thinned);
  const order = series.rounds.map(({ round }) => round);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
});

test('an evaluation that comes later is that of its round', () => {
  const series = new RoundSeries(rounds(3), 3);
  series.evaluated(2, [{ name: 'accuracy', mean: 0.5, count: 1 }]);
  assert.equal(series.rounds[1]?.evaluation[0]?.mean, 0.5);
});

test('the totals of a thinned series are estimated from what it has', () => {
  const all = totals(new RoundSeries(rounds(100), 100));
  const some = totals(
    new RoundSeries(
      rounds(100).filter((_, index) => index % 3 === 0),
      100,
    ),
  );
  assert.ok(all.exact);
  assert.ok(!some.exact);
  assert.ok(Math.abs(some.up / all.up - 1) < 0.05);
});

test('the test set is trusted more than what clients report', () => {
  const own = rounds(3);
  assert.equal(trusted(own, 'accuracy')?.source, 'evaluation');
  for (const round of own) round.evaluation = [];
  assert.equal(trusted(own, 'accuracy')?.source, 'held_out');
  assert.equal(
    trusted(own, 'accuracy')?.points[0]?.round,
    0,
    'clients measure the model that the round began with',
  );
  assert.equal(trusted(own, 'loss')?.source, 'training');
  assert.equal(trusted(own, 'nothing'), null);
});

test('the main metric is that of the run, or else accuracy', () => {
  const names = metricNames(rounds(2));
  assert.deepEqual(names, ['accuracy', 'loss']);
  assert.equal(mainMetric(names, 'loss'), 'loss');
  assert.equal(mainMetric(names, 'other'), 'accuracy');
  assert.equal(mainMetric([], undefined), null);
});
