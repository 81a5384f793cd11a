import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cost, learning, missing } from '../../src/verdict.js';
import { RoundSeries } from '../../src/series.js';
import { Federation, scenarios } from '../fixture/federation.js';

const small = () =>
  new Federation(/** @type {import('../fixture/federation.js').Scenario} */ (scenarios['small']));

/** @param {string} metric @param {(number | null)[]} values */
function roundsWith(metric, values) {
  return values.map((mean, index) => ({
    ...small().round(index + 1),
    training: [],
    held_out: null,
    evaluation: [{ name: metric, mean, count: 1 }],
  }));
}

test('a metric that rises is an improvement, unless lower is better', () => {
  const rising = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
  assert.equal(learning(roundsWith('accuracy', rising), 'accuracy').trend, 'improves');
  assert.equal(learning(roundsWith('loss', rising), 'loss').trend, 'worsens');
  assert.equal(learning(roundsWith('loss', rising.reverse()), 'loss').trend, 'improves');
});

test('noise around one value is not learning', () => {
  const values = Array.from({ length: 40 }, (_, index) => 0.8 + (index % 2 ? 0.0001 : -0.0001));
  assert.equal(learning(roundsWith('accuracy', values), 'accuracy').trend, 'level');
});

test('too few values, or none, are no verdict', () => {
  assert.equal(learning([], 'accuracy').trend, 'unknown');
  assert.equal(learning(roundsWith('accuracy', [0.5]), 'accuracy').trend, 'unknown');
  assert.equal(learning(roundsWith('accuracy', [null, null]), 'accuracy').trend, 'unknown');
  assert.equal(learning(roundsWith('accuracy', [0.5, 0.6]), null).trend, 'unknown');
});

test('who is missing has a reason, from the current round or from the newest', () => {
  const federation = small();
  federation.elapsed = 2;
  const found = missing(federation.live(), federation.roundDetail(24), federation.devices());
  assert.deepEqual(
    found.map(({ client }) => client),
    ['client-04', 'client-07', 'client-09'],
  );
  assert.match(found[0]?.why ?? '', /^not connected: connection lost/);
  assert.match(found[1]?.why ?? '', /lost its connection in this round/);
  assert.match(found[2]?.why ?? '', /declined this round: battery at 12 %/);
});

test('a device that is not connected is missing, also if it was not in the newest round', () => {
  const federation = small();
  federation.elapsed = 2;
  const newest = federation.roundDetail(24);
  newest.participants = newest.participants.filter(({ client }) => client !== 'client-04');
  assert.ok(!missing(federation.live(), newest, []).some(({ client }) => client === 'client-04'));
  const found = missing(federation.live(), newest, federation.devices());
  assert.match(
    found.find(({ client }) => client === 'client-04')?.why ?? '',
    /^not connected; connection lost/,
  );
});

test('a client that is only not in the round is not missing because others lost their connection', () => {
  const live = small().live();
  live.members = live.members.filter(({ client }) => client !== 'client-01');
  for (const member of live.members)
    if (['client-02', 'client-07'].includes(member.client)) member.state = 'absent';
  live.connected = 7; // without client-02, client-04 and client-07
  const devices = small().devices();
  const [first] = devices;
  assert.ok(first);
  first.last_seen = new Date(Date.parse(first.last_seen ?? '') + 1000).toISOString();
  assert.deepEqual(
    missing(live, null, devices).map(({ client }) => client),
    ['client-02', 'client-04', 'client-07'],
  );
});

test('clients that are set aside or gathered have the reason of the aggregator', () => {
  const live = {
    ...small().live(),
    phase: /** @type {const} */ ('gathering'),
    members: [],
    missing: ['client-01', 'client-02 (no data: a file (x) is missing)'],
    left_out: ['client-03 (30 s)', 'client-04 (declined: memory)'],
  };
  assert.deepEqual(
    missing(live, null, []).map(({ client, why }) => `${client}: ${why}`),
    [
      'client-01: not connected',
      'client-02: no data: a file (x) is missing',
      'client-03: left out for 30 s more',
      'client-04: declined: memory',
    ],
  );
});

test('a client that is back is not missing', () => {
  const federation = small();
  federation.elapsed = 4;
  const live = federation.live();
  const newest = federation.roundDetail(24);
  const participant = newest.participants[0];
  assert.ok(participant);
  participant.outcome = 'late';
  assert.ok(!missing(live, newest, []).some(({ client }) => client === 'client-01'));
  assert.ok(
    missing(null, newest, []).some(({ client }) => client === 'client-01'),
    'of a run that is over, the newest round counts',
  );
});

test('the cost names bytes and time', () => {
  const federation = small();
  const series = new RoundSeries(
    Array.from({ length: 24 }, (_, index) => federation.round(index + 1)),
    24,
  );
  const spent = cost(series, 50_000);
  assert.match(spent.total, /^8\.\d+\sMB$/);
  assert.match(spent.perRound, /up, .* down in round 24/);
  assert.match(spent.saving, /11\s% of the bytes of float32/);
});
