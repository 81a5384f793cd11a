// The three answers of the overview: does it learn, who is missing and why, what does it cost. Pure functions.
import {
  compareNames,
  bytes,
  lowerIsBetter,
  metricChange,
  metricValue,
  outcomeText,
  percent,
  plural,
  roughDuration,
} from './format.js';
import { totals, trusted } from './series.js';

/** @import { Live, RoundDetail, Round } from './types.js' */
/** @import { RoundSeries, Source } from './series.js' */

/**
 * @typedef {object} Learning
 * @property {'improves' | 'level' | 'worsens' | 'unknown'} trend
 * @property {string} headline
 * @property {string} value  of the newest round
 * @property {string} detail
 * @property {Source | null} source
 * @property {{ round: number, value: number }[]} points
 */

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Compares the mean of the newest tenth of the values, at least 3, with the mean of those before.
 * @param {Round[]} rounds @param {string | null} metric
 * @returns {Learning}
 */
export function learning(rounds, metric) {
  const found = metric === null ? null : trusted(rounds, metric);
  const newest = found?.points.at(-1);
  if (!metric || !found || !newest) {
    return {
      trend: 'unknown',
      headline: 'Not known yet',
      value: '–',
      detail: 'No metric was measured yet.',
      source: null,
      points: [],
    };
  }
  const { source, points } = found;
  const result = { value: metricValue(metric, newest.value), source, points };
  if (points.length < 2) {
    return { ...result, trend: 'unknown', headline: 'Too early to say', detail: 'One value so far.' };
  }
  const values = points.map(({ value }) => value);
  const width = Math.max(
    1,
    Math.min(Math.max(3, Math.floor(values.length / 10)), Math.floor(values.length / 2)),
  );
  const change = mean(values.slice(-width)) - mean(values.slice(-2 * width, -width));
  const span =
    Math.max(...values.slice(-Math.max(20, 4 * width))) - Math.min(...values.slice(-Math.max(20, 4 * width)));
  const noise = Math.max(0.02 * span, 0.001 * Math.abs(newest.value));
  const better = lowerIsBetter(metric) ? -change : change;
  const first = points.at(-2 * width) ?? points[0];
  const over = first ? newest.round - first.round : 0;
  const detail = `${metricChange(metric, change)} over the last ${plural(over, 'round')}`;
  if (Math.abs(change) <= noise)
    return { ...result, trend: 'level', headline: 'Learning has levelled off', detail };
  if (better > 0) return { ...result, trend: 'improves', headline: 'It learns', detail };
  return { ...result, trend: 'worsens', headline: 'It gets worse', detail };
}

/** @typedef {{ client: string, why: string, kind: string }} Missing  kind: an outcome or a state, for the badge */

/**
 * Who is missing now, and why: from the live state first, then from the newest round.
 * @param {Live | null} live @param {RoundDetail | null} round
 * @returns {Missing[]}
 */
export function missing(live, round) {
  /** @type {Map<string, Missing>} */
  const found = new Map();
  const reasons = new Map(
    (round?.participants ?? [])
      .filter((entry) => entry.outcome !== 'counted')
      .map((entry) => [entry.client, entry]),
  );
  if (live && live.phase !== 'finished') {
    for (const client of live.missing) {
      const before = reasons.get(client);
      const why = before?.reason ? `not connected: ${before.reason}` : 'not connected';
      found.set(client, { client, why, kind: 'disconnected' });
    }
    for (const client of live.left_out)
      found.set(client, { client, why: 'left out of this round', kind: 'left_out' });
    for (const member of live.members) {
      const why = memberProblems.get(member.state);
      if (!why || found.has(member.client)) continue;
      const before = reasons.get(member.client);
      const again = before && before.outcome === member.state && before.reason ? `: ${before.reason}` : '';
      found.set(member.client, { client: member.client, why: `${why}${again}`, kind: member.state });
    }
    // In the newest round it was lost, and this round it has not shown that it is back.
    const back = new Set(
      live.members
        .filter(({ state }) => state === 'counted' || state === 'verifying')
        .map(({ client }) => client),
    );
    for (const [client, entry] of reasons) {
      if (!found.has(client) && !back.has(client))
        found.set(client, { client, why: because(entry), kind: entry.outcome });
    }
  } else {
    for (const [client, entry] of reasons)
      found.set(client, { client, why: because(entry), kind: entry.outcome });
  }
  return [...found.values()].sort((a, b) => compareNames(a.client, b.client));
}

const memberProblems = new Map([
  ['absent', 'lost its connection in this round'],
  ['left', 'left this round'],
  ['declined', 'declined this round'],
  ['rejected', 'its update was rejected'],
]);

/** @param {{ outcome: string, reason: string }} entry */
function because({ outcome, reason }) {
  const text = outcomeText(outcome);
  return reason && reason !== text ? `${text}: ${reason}` : text;
}

/**
 * @param {RoundSeries} series @param {number} parameters  of the model
 * @returns {{ total: string, perRound: string, time: string, saving: string }}
 */
export function cost(series, parameters) {
  const sum = totals(series);
  const about = sum.exact ? '' : 'about ';
  const last = series.rounds.slice(-20);
  const median = [...last].map(({ seconds }) => seconds).sort((a, b) => a - b)[Math.floor(last.length / 2)];
  const newest = series.newest;
  const perClient = newest && newest.counted > 0 ? newest.bytes_up / newest.counted : 0;
  const fraction = parameters > 0 && perClient > 0 ? perClient / (4 * parameters) : 0;
  return {
    total: `${about}${bytes(sum.up + sum.down)}`,
    perRound: newest
      ? `${bytes(newest.bytes_up)} up, ${bytes(newest.bytes_down)} down in round ${newest.round}`
      : '',
    time:
      median === undefined ? '' : `${roughDuration(median)} a round, ${roughDuration(sum.seconds)} in total`,
    saving:
      fraction > 0 && fraction < 0.95 ? `An update takes ${percent(fraction)} of the bytes of float32` : '',
  };
}
