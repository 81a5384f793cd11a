// The rounds of one run, thinned for charts, and the metrics in them.
import { isNumber } from './format.js';

/** @import { Metrics, Round } from './types.js' */

/** More points than a chart has pixels are of no use, and cost memory and time. */
export const pointsMax = 1000;

/** Rounds in order. Grows with the run; when it has twice pointsMax rounds, every second one is dropped. */
export class RoundSeries {
  /** @type {Round[]} */
  rounds = [];
  /** Whether rounds between the first and the last are left out. */
  thinned = false;
  /** The newest round that was committed. */
  last = 0;

  /** @param {Round[]} rounds  in order  @param {number} committed  how many the run has */
  constructor(rounds, committed) {
    this.rounds = rounds;
    this.thinned = committed > rounds.length;
    this.last = rounds.at(-1)?.round ?? 0;
  }

  /** @param {Round} round  @returns {boolean} whether it was new */
  append(round) {
    if (round.round <= this.last) return false;
    this.rounds.push(round);
    this.last = round.round;
    if (this.rounds.length > 2 * pointsMax) {
      const end = this.rounds.length - 1;
      this.rounds = this.rounds.filter((_, index) => index % 2 === 0 || index === end);
      this.thinned = true;
    }
    return true;
  }

  /** Sets the evaluation of a round, which comes after its commit. @param {number} round @param {Metrics} evaluation */
  evaluated(round, evaluation) {
    const found = this.rounds.findLast((entry) => entry.round === round);
    if (found) found.evaluation = evaluation;
  }

  get newest() {
    return this.rounds.at(-1) ?? null;
  }
}

/** Where a metric was measured. @typedef {'evaluation' | 'held_out' | 'training'} Source */

/** @type {{ source: Source, label: string, explanation: string }[]} */
export const sources = [
  { source: 'evaluation', label: 'test set', explanation: 'measured by the aggregator on its test set' },
  {
    source: 'held_out',
    label: 'held out by clients',
    explanation: 'measured by clients on examples that they hold out',
  },
  { source: 'training', label: 'training', explanation: 'measured by clients while they train' },
];

/** @param {Round} round @param {Source} source @param {string} metric @returns {number | null} */
export function valueOf(round, source, metric) {
  const metrics = source === 'held_out' ? round.held_out?.metrics : round[source];
  const value = metrics?.find(({ name }) => name === metric)?.mean;
  return isNumber(value) ? value : null;
}

/** The round whose model the value belongs to: clients measure the model that a round begins with. @param {Round} round @param {Source} source */
export function modelRound(round, source) {
  return source === 'held_out' && round.held_out ? round.held_out.of_round : round.round;
}

/** The names of all metrics, those of the evaluation first. @param {Round[]} rounds @returns {string[]} */
export function metricNames(rounds) {
  const names = new Set();
  for (const { source } of sources) {
    // Metrics may appear during a run, so the newest rounds count as well as the first.
    for (const round of [...rounds.slice(0, 3), ...rounds.slice(-20)]) {
      const metrics = source === 'held_out' ? round.held_out?.metrics : round[source];
      for (const { name } of metrics ?? []) names.add(name);
    }
  }
  return [...names];
}

/** The metric that a reader looks at first: the run's own, or else accuracy, or else the first. @param {string[]} names @param {string | undefined} ofRun */
export function mainMetric(names, ofRun) {
  if (ofRun && names.includes(ofRun)) return ofRun;
  return names.find((name) => /accuracy/i.test(name)) ?? names[0] ?? null;
}

/**
 * The values of a metric from the source that has most trust: the test set, else held-out examples, else training.
 * @param {Round[]} rounds @param {string} metric
 * @returns {{ source: Source, points: { round: number, value: number }[] } | null}
 */
export function trusted(rounds, metric) {
  for (const { source } of sources) {
    const points = [];
    for (const round of rounds) {
      const value = valueOf(round, source, metric);
      if (value !== null) points.push({ round: modelRound(round, source), value });
    }
    if (points.length > 0) return { source, points };
  }
  return null;
}

/**
 * The bytes of all rounds. Of a thinned series it is an estimate from the rounds that it has.
 * @param {RoundSeries} series
 */
export function totals(series) {
  const { rounds } = series;
  let up = 0;
  let down = 0;
  let seconds = 0;
  for (const round of rounds) {
    up += round.bytes_up;
    down += round.bytes_down;
    seconds += round.seconds;
  }
  const first = rounds[0]?.round ?? 0;
  const factor = rounds.length === 0 ? 0 : series.thinned ? (series.last - first + 1) / rounds.length : 1;
  return { up: up * factor, down: down * factor, seconds: seconds * factor, exact: !series.thinned };
}
