// What the page knows of the federation. Views read it, and are called when a part of it changes.
import { api } from './api.js';
import { LiveTracks } from './live_rounds.js';
import { pointsMax, RoundSeries } from './series.js';
import { EventStream } from './stream.js';

/** @import { Federation, Live, LogRecord, Metrics, Round, Run } from './types.js' */
/** @import { ApiError } from './api.js' */
/** @import { StreamEvent } from './stream.js' */

/** @typedef {'federation' | 'runs' | 'series' | 'live' | 'log' | 'devices' | 'connection'} Topic */

/** @typedef {{ state: 'connecting' | 'open' } | { state: 'lost', error: ApiError | null, retryAt: number }} Connection */

const logKept = 2000;

export class Store {
  /** @type {Federation | null} */
  federation = null;
  /** @type {Run[]} */
  runs = [];
  /** @type {Live | null} */
  live = null;
  tracks = new LiveTracks();
  /** The newest records, in order. @type {LogRecord[]} */
  log = [];
  /** Records that the server could not send in time. */
  logLost = 0;
  /** @type {Connection} */
  connection = { state: 'connecting' };

  /** @type {Map<string, RoundSeries>} */
  #series = new Map();
  /** @type {Map<string, Promise<RoundSeries>>} */
  #loading = new Map();
  /** @type {Map<Topic, Set<() => void>>} */
  #listeners = new Map();
  /** @type {Set<Topic>} */
  #changed = new Set();
  #frame = 0;
  /** @type {EventStream | null} */
  #stream = null;

  /**
   * Calls the listener at most once a frame after changes of the topic.
   * @param {Topic} topic @param {() => void} listener @returns {() => void} ends it
   */
  on(topic, listener) {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** @param {Topic} topic */
  #touch(topic) {
    this.#changed.add(topic);
    if (this.#frame) return;
    // In a hidden tab there are no frames; what has changed is drawn when it is seen again.
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const topics = [...this.#changed];
      this.#changed.clear();
      for (const changed of topics) for (const listener of this.#listeners.get(changed) ?? []) listener();
    });
  }

  /** The first answers; throws ApiError. Then the stream keeps them up to date. */
  async start() {
    await this.#refresh();
    this.#stream?.close();
    this.#stream = new EventStream({
      onOpen: () => this.#opened(),
      onEvent: (event) => this.#event(event),
      onLost: (error, seconds) => {
        this.connection = { state: 'lost', error, retryAt: Date.now() + 1000 * seconds };
        this.#touch('connection');
      },
    });
  }

  retry() {
    this.#stream?.retry();
  }

  async #refresh() {
    const [federation, runs] = await Promise.all([api.federation(), api.runs()]);
    this.federation = federation;
    this.runs = runs;
    if (!federation.live) this.live = null;
    this.#touch('federation');
    this.#touch('runs');
    this.#touch('live');
  }

  #interrupted = false;

  #opened() {
    this.connection = { state: 'open' };
    this.#touch('connection');
    // What was committed meanwhile may not be in the stream.
    if (this.#interrupted) this.#catchUp().catch(() => {});
    this.#interrupted = true;
  }

  async #catchUp() {
    await this.#refresh();
    this.#touch('devices');
    for (const [run, series] of this.#series) {
      // Also rounds that are there: their evaluations may have come meanwhile.
      const after = Math.max(0, series.last - 50);
      const { rounds, last } = await api.rounds(run, { after, limit: 500 });
      if (rounds.length > 0 && rounds.at(-1)?.round === last) {
        for (const round of rounds)
          if (!series.append(round)) series.evaluated(round.round, round.evaluation);
      } else if (last > series.last) {
        this.#series.delete(run);
        await this.series(run);
      }
      this.#touch('series');
    }
  }

  /** @param {StreamEvent} event */
  #event({ event, data }) {
    let value;
    try {
      value = JSON.parse(data);
    } catch {
      return; // Not from this version of the server.
    }
    switch (event) {
      case 'live':
        this.live = /** @type {Live} */ (value);
        this.tracks.update(this.live, performance.now() / 1000);
        this.#touch('live');
        break;
      case 'round':
        this.#round(value);
        break;
      case 'evaluation': {
        const { run, round, evaluation } =
          /** @type {{ run: string, round: number, evaluation: Metrics }} */ (value);
        this.#series.get(run)?.evaluated(round, evaluation);
        this.#touch('series');
        break;
      }
      case 'log':
        this.#record(value);
        break;
      case 'devices':
        this.#touch('devices');
        break;
      case 'run':
        this.#refresh().catch(() => {});
        break;
    }
  }

  /** @param {{ run: string, round: Round }} event */
  #round({ run, round }) {
    this.#series.get(run)?.append(round);
    const entry = this.runs.find((candidate) => candidate.run === run);
    if (entry) {
      entry.rounds = Math.max(entry.rounds, round.round);
      entry.last_round_at = new Date(Date.parse(round.started_at) + 1000 * round.seconds).toISOString();
    } else {
      this.#refresh().catch(() => {});
    }
    this.#touch('series');
    this.#touch('runs');
  }

  /** @param {LogRecord | { lost: number }} value */
  #record(value) {
    if ('lost' in value) {
      this.logLost += value.lost;
    } else if (value.sequence > (this.log.at(-1)?.sequence ?? -1)) {
      this.log.push(value);
      if (this.log.length > logKept) this.log.splice(0, this.log.length - logKept);
    }
    this.#touch('log');
  }

  /** @param {string} name */
  run(name) {
    return this.runs.find(({ run }) => run === name) ?? null;
  }

  /** The run of a route: the named one, or else the current one, or else the newest. @param {string | null} named */
  runOf(named) {
    return named ?? this.federation?.live?.run ?? this.runs[0]?.run ?? null;
  }

  /** @param {string} run */
  seriesIfLoaded(run) {
    return this.#series.get(run) ?? null;
  }

  /** The rounds of a run for charts. @param {string} run @returns {Promise<RoundSeries>} */
  async series(run) {
    const loaded = this.#series.get(run);
    if (loaded) return loaded;
    const loading =
      this.#loading.get(run) ??
      api.rounds(run, { points: pointsMax }).then(({ rounds }) => {
        const first = rounds[0]?.round ?? 1;
        const last = rounds.at(-1)?.round ?? 0;
        const series = new RoundSeries(rounds, last - first + 1);
        this.#series.set(run, series);
        return series;
      });
    this.#loading.set(run, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(run);
    }
  }

  devicesChanged() {
    this.#touch('devices');
  }
}
