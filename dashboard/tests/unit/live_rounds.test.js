import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveTracks, tally } from '../../src/live_rounds.js';
import { Federation, scenarios } from '../fixture/federation.js';

const small = () =>
  new Federation(/** @type {import('../fixture/federation.js').Scenario} */ (scenarios['small']));

test('a client trains, uploads, is verified and counted, in this order', () => {
  const federation = small();
  const tracks = new LiveTracks();
  for (let step = 0; step <= 40; step++) {
    federation.elapsed = step / 10;
    tracks.update(federation.live(), 100 + 5 * federation.committed + federation.elapsed);
  }
  const first = tracks.tracks.find(({ client }) => client === 'client-01');
  assert.deepEqual(
    first?.segments.map(({ activity }) => activity),
    ['trains', 'uploads', 'verifying', 'counted'],
  );
  first?.segments.forEach((segment, index) => {
    assert.ok(segment.start <= segment.end);
    if (index > 0) assert.equal(segment.start, first.segments[index - 1]?.end);
  });
  assert.equal(first?.segments.at(-1)?.end, tracks.elapsed);
});

test('a page that is opened in the middle of a round knows since when a state holds', () => {
  const federation = small();
  federation.elapsed = 3;
  const tracks = new LiveTracks();
  tracks.update(federation.live(), 100 + 5 * federation.committed + federation.elapsed);
  assert.equal(tracks.elapsed, 3);
  const declined = tracks.tracks.find(({ client }) => client === 'client-09');
  assert.ok(Math.abs((declined?.segments[0]?.start ?? 0) - 0.3) < 1e-6);
});

test('a new round begins again', () => {
  const federation = small();
  const tracks = new LiveTracks();
  federation.elapsed = 4;
  tracks.update(federation.live(), 100 + 5 * federation.committed + federation.elapsed);
  federation.committed++;
  federation.elapsed = 0;
  tracks.update(federation.live(), 100 + 5 * federation.committed + federation.elapsed);
  assert.ok(tracks.tracks.every(({ segments }) => segments.length === 1));
  assert.equal(tracks.elapsed, 0);
});

test('the counts are those of the states', () => {
  const federation = small();
  federation.elapsed = 4;
  const tracks = new LiveTracks();
  tracks.update(federation.live(), 100 + 5 * federation.committed + federation.elapsed);
  assert.deepEqual(tally(tracks.tracks), [
    { activity: 'counted', clients: 7 },
    { activity: 'absent', clients: 1 },
    { activity: 'declined', clients: 1 },
  ]);
});
