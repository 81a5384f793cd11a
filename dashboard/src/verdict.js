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

/** @import { Device, Live, RoundDetail, Round } from './types.js' */
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

/** "client-09 (declined)" @param {string} text */
function splitReason(text) {
  const [, client = text, why = ''] = /^(.*?)(?: \((.*)\))?$/s.exec(text) ?? [];
  return { client, why };
}

/**
 * Who is missing now, and why: from the live state, the register of devices and the newest round.
 * @param {Live | null} live @param {RoundDetail | null} round @param {Device[]} devices
 * @returns {Missing[]}
 */
export function missing(live, round, devices) {
  const lost = new Map(
    (round?.participants ?? [])
      .filter(({ outcome }) => outcome !== 'counted')
      .map((entry) => [entry.client, { client: entry.client, why: because(entry), kind: entry.outcome }]),
  );
  const found = live && live.phase !== 'finished' ? missingNow(live, lost, devices) : lost;
  return [...found.values()].sort((a, b) => compareNames(a.client, b.client));
}

/** @param {Live} live @param {Map<string, Missing>} lost  in the newest round @param {Device[]} devices */
function missingNow(live, lost, devices) {
  /** @type {Map<string, Missing>} */
  const found = new Map();
  for (const text of live.left_out) {
    const { client, why } = splitReason(text);
    found.set(client, {
      client,
      why: /^\d+ s$/.test(why) ? `left out for ${why} more` : why || 'left out',
      kind: 'left_out',
    });
  }
  for (const text of live.missing) {
    const { client, why } = splitReason(text);
    const before = lost.get(client);
    if (!found.has(client))
      found.set(client, { client, why: why || notConnected(before), kind: 'disconnected' });
  }
  for (const member of live.members) {
    const why = memberProblems.get(member.state);
    if (!why || found.has(member.client)) continue;
    const before = lost.get(member.client);
    const detail =
      before?.kind === member.state && before.why.includes(': ')
        ? before.why.slice(before.why.indexOf(': '))
        : '';
    found.set(member.client, { client: member.client, why: `${why}${detail}`, kind: member.state });
  }
  for (const { name: client, lost_why: lostWhy } of notThere(live, devices)) {
    const before = lost.get(client);
    const why = before || !lostWhy ? notConnected(before) : `not connected; ${lostWhy}`;
    if (!found.has(client)) found.set(client, { client, why, kind: 'disconnected' });
  }
  // Lost in the newest round, and nothing shows that it is back.
  const back = new Set(
    live.members
      .filter(({ state }) => state === 'counted' || state === 'verifying')
      .map(({ client }) => client),
  );
  for (const [client, entry] of lost) if (!found.has(client) && !back.has(client)) found.set(client, entry);
  return found;
}

/** @param {Missing | undefined} before */
function notConnected(before) {
  return before ? `not connected: ${before.why.replace(/^[^:]*: /, '')}` : 'not connected';
}

/**
 * The live state has the number of connected clients, and the names of those in the round: of the others, those that
 * were seen longest ago are not there.
 * @param {Live} live @param {Device[]} devices
 */
function notThere(live, devices) {
  const admitted = devices.filter(({ state }) => state === 'admitted');
  const members = new Set(live.members.map(({ client }) => client));
  const goneMembers = live.members.filter(({ state }) => state === 'absent' || state === 'left').length;
  return admitted
    .filter(({ name }) => !members.has(name))
    .sort((a, b) => (a.last_seen ?? '').localeCompare(b.last_seen ?? ''))
    .slice(0, Math.max(0, admitted.length - live.connected - goneMembers));
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
