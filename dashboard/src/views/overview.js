// The first page: does it learn, who is missing and why, what does it cost; then the curves and the current round.
import { api } from '../api.js';
import { LineChart } from '../charts/line_chart.js';
import { LiveTimeline, timelineKey } from '../charts/live_timeline.js';
import { sparkline } from '../charts/sparkline.js';
import { stateBadge } from '../components/badge.js';
import { fill, h, patch } from '../components/dom.js';
import { icon } from '../components/icon.js';
import { empty, failure, loading, nameLink } from '../components/text.js';
import { announce } from '../components/announcer.js';
import { capital, clock, count, duration, metricValue, plural, roughDuration, visible } from '../format.js';
import { routeTo } from '../router.js';
import { mainMetric, metricNames, sources, valueOf } from '../series.js';
import { cost, learning, missing } from '../verdict.js';
import { stopButton } from './actions.js';
import { heading, throttle } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { Device, Live, Privacy, Round, RoundDetail, RunDetail } from '../types.js' */
/** @import { RoundSeries } from '../series.js' */
/** @import { Line } from '../charts/line_chart.js' */

const namesShown = 5;

/** @type {import('./view.js').View} */
export function overview(context) {
  const page = h('div', { class: 'view overview' });
  if (!context.run) {
    fill(
      page,
      heading('Overview'),
      empty(
        'No run yet',
        'The first one appears here when the aggregator begins it. ',
        h('code', {}, 'hansa new --help'),
        ' says how to make a federation.',
      ),
    );
    return page;
  }
  new Overview(context, context.run, page);
  return page;
}

class Overview {
  /** @type {RoundSeries | null} */ #series = null;
  /** @type {RunDetail | null} */ #detail = null;
  /** @type {RoundDetail | null} */ #newest = null;
  /** @type {Privacy | null} */ #privacy = null;
  /** @type {unknown} */ #problem = null;
  /** @type {Device[]} */ #devices = [];
  #head = h('div');
  #cards = h('div', { class: 'cards' });
  #alarms = h('div');
  #current = h('div');
  #charts = h('div', { class: 'charts' });
  /** @type {Map<string, LineChart>} */ #lines = new Map();
  /** @type {LiveTimeline | null} */ #timeline = null;
  #liveText = h('p', { class: 'live-text' });

  /** @param {ViewContext} context @param {string} run @param {HTMLElement} page */
  constructor(context, run, page) {
    this.context = context;
    this.run = run;
    page.append(
      this.#head,
      this.#cards,
      h(
        'div',
        { class: 'overview-columns' },
        this.#charts,
        h('div', { class: 'sections now' }, this.#alarms, this.#current),
      ),
    );
    fill(this.#cards, loading());
    this.#drawHead();
    context.on('federation', () => this.#drawHead());
    context.on('live', () => this.#liveChanged());
    context.on('runs', () => this.#drawHead());
    const refreshDevices = throttle(() => this.#loadDevices(), 5000);
    context.on('devices', refreshDevices);
    const refreshNewest = throttle(() => this.#loadNewest(), 1000);
    context.on('series', () => {
      this.#drawCharts();
      this.#drawCards();
      const newest = this.#series?.newest;
      if (newest && newest.round !== this.#newest?.round) {
        refreshNewest();
        this.#say(newest);
      }
    });
    context.left.addEventListener('abort', () => this.#lines.forEach((chart) => chart.destroy()));
    this.#load();
  }

  async #load() {
    const { context, run } = this;
    try {
      const [series, detail] = await Promise.all([context.store.series(run), api.run(run, context.left)]);
      this.#series = series;
      this.#detail = detail;
      if (context.left.aborted) return;
      this.#drawCharts();
      this.#drawHead();
      await Promise.all([this.#loadNewest(), this.#loadDevices()]);
      this.#privacy = await api.privacy(run, context.left).catch(() => null);
    } catch (error) {
      this.#problem = error;
    }
    if (context.left.aborted) return;
    this.#drawCards();
    this.#liveChanged();
  }

  async #loadDevices() {
    if (!this.context.store.federation?.devices || !this.#live) return;
    this.#devices = await api.devices(this.context.left).catch(() => this.#devices);
    if (!this.context.left.aborted) this.#drawCards();
  }

  async #loadNewest() {
    const round = this.#series?.newest?.round;
    if (round) this.#newest = await api.round(this.run, round, this.context.left).catch(() => this.#newest);
    if (!this.context.left.aborted) this.#drawCards();
  }

  /** @returns {Live | null} */
  get #live() {
    const { live } = this.context.store;
    return live?.run === this.run ? live : null;
  }

  get #metric() {
    const rounds = this.#series?.rounds ?? [];
    const entry = this.context.store.run(this.run);
    return mainMetric(metricNames(rounds), entry?.best?.metric ?? entry?.last?.metric);
  }

  #drawHead() {
    const entry = this.context.store.run(this.run);
    const live = this.#live;
    const configured = live?.rounds ?? entry?.rounds_configured ?? null;
    const done = entry?.rounds ?? 0;
    const progress = configured
      ? h('progress', {
          max: String(configured),
          value: String(Math.min(done, configured)),
          'aria-label': `Rounds: ${done} of ${configured}`,
        })
      : null;
    const ended = this.#detail?.why_ended;
    patch(
      this.#head,
      heading('Overview', entry && stateBadge(entry.state), stopButton(this.context)),
      h(
        'p',
        { class: 'progress-line' },
        h('strong', {}, configured ? `Round ${count(done)} of ${count(configured)}` : plural(done, 'round')),
        progress,
        live &&
          live.eta_seconds !== null &&
          live.phase !== 'finished' &&
          h('span', {}, `ends in about ${roughDuration(live.eta_seconds)}`),
        ended && h('span', {}, visible(ended)),
      ),
      entry?.problem && failure(new Error(entry.problem)),
    );
  }

  #drawCards() {
    if (this.#problem) {
      fill(
        this.#cards,
        failure(this.#problem, () => location.reload()),
      );
      return;
    }
    const series = this.#series;
    if (!series) return;
    patch(this.#cards, this.#learningCard(series), this.#missingCard(series), this.#costCard(series));
  }

  /** @param {RoundSeries} series */
  #learningCard(series) {
    const metric = this.#metric;
    const verdict = learning(series.rounds, metric);
    const tone = { improves: 'good', level: 'calm', worsens: 'bad', unknown: 'calm' }[verdict.trend];
    const picture = /** @type {const} */ ({
      improves: 'up',
      level: 'level',
      worsens: 'down',
      unknown: 'clock',
    })[verdict.trend];
    const best = this.context.store.run(this.run)?.best;
    const source = sources.find((entry) => entry.source === verdict.source);
    return card(
      'Does it learn?',
      tone,
      picture,
      verdict.headline,
      h(
        'div',
        { class: 'card-figure' },
        h(
          'div',
          {},
          h('p', { class: 'big' }, verdict.value),
          h('p', { class: 'big-label' }, visible(metric ?? 'no metric'), source && `, ${source.label}`),
        ),
        verdict.points.length > 1 &&
          sparkline(thin(verdict.points.map(({ value }) => value)), `${metric}: ${verdict.detail}`),
      ),
      h('p', {}, verdict.detail),
      h(
        'p',
        { class: 'soft' },
        best && isBestOf(metric, best.metric)
          ? `Best: ${metricValue(best.metric, best.value)} in round ${count(best.round)}. `
          : '',
      ),
    );
  }

  /** @param {RoundSeries} series */
  #missingCard(series) {
    const live = this.#live;
    const lost = missing(live, this.#newest, this.#devices);
    const newest = series.newest;
    const admitted = this.#devices.filter(({ state }) => state === 'admitted').length;
    const running = live && live.phase !== 'finished';
    const all = (running ? admitted || live.expected : 0) || (newest?.selected ?? 0);
    const title =
      lost.length === 0
        ? all
          ? 'Nobody is missing'
          : 'Not known yet'
        : `${plural(lost.length, 'client')} of ${count(Math.max(all, lost.length))} missing`;
    const tone = lost.length === 0 ? (all ? 'good' : 'calm') : lost.length * 3 >= all ? 'bad' : 'warn';
    return card(
      'Who is missing, and why?',
      tone,
      lost.length === 0 ? (all ? 'check' : 'clock') : 'warning',
      title,
      h(
        'div',
        { class: 'card-figure' },
        h(
          'div',
          {},
          h('p', { class: 'big' }, newest ? `${count(newest.counted)} / ${count(newest.selected)}` : '–'),
          h('p', { class: 'big-label' }, newest ? `counted in round ${count(newest.round)}` : 'no round yet'),
        ),
        live &&
          h(
            'div',
            { class: 'card-side' },
            h('p', { class: 'medium' }, count(live.connected)),
            h('p', { class: 'big-label' }, 'connected now'),
          ),
      ),
      lost.length > 0 &&
        h(
          'ul',
          { class: 'missing' },
          lost
            .slice(0, namesShown)
            .map(({ client, why }) =>
              h(
                'li',
                {},
                nameLink(routeTo('devices', { item: client }), client),
                h('span', { title: visible(why) }, visible(why)),
              ),
            ),
        ),
      lost.length > namesShown &&
        newest &&
        h(
          'p',
          {},
          h(
            'a',
            { href: routeTo('rounds', { item: newest.round, run: this.context.route.run }) },
            `and ${count(lost.length - namesShown)} more`,
          ),
        ),
    );
  }

  /** @param {RoundSeries} series */
  #costCard(series) {
    const spent = cost(series, this.#detail?.model.parameters ?? 0);
    return card(
      'What does it cost?',
      'calm',
      'clock',
      series.rounds.length > 0 ? spent.time : 'Nothing yet',
      h(
        'div',
        { class: 'card-figure' },
        h(
          'div',
          {},
          h('p', { class: 'big' }, spent.total),
          h('p', { class: 'big-label' }, 'sent and received in all rounds'),
        ),
      ),
      h('p', {}, spent.perRound),
      h('p', { class: 'soft' }, spent.saving),
    );
  }

  #drawCharts() {
    const series = this.#series;
    if (!series) return;
    const { rounds } = series;
    const names = metricNames(rounds);
    const main = this.#metric;
    const shown = [main, names.find((name) => name === 'loss') ?? names.find((name) => name !== main)].filter(
      (name, index, all) => name && all.indexOf(name) === index,
    );
    if (rounds.length === 0) {
      if (this.#lines.size === 0)
        fill(this.#charts, empty('No round yet', 'The curves begin with the first committed round.'));
      return;
    }
    const wanted = shown.filter((name) => typeof name === 'string');
    if (wanted.join('\n') !== [...this.#lines.keys()].join('\n')) {
      this.#lines.forEach((chart) => chart.destroy());
      this.#lines = new Map(
        wanted.map((metric) => [
          metric,
          new LineChart({
            title: `${capital(visible(metric))} by round`,
            text: (value) => metricValue(metric, value),
          }),
        ]),
      );
      fill(
        this.#charts,
        [...this.#lines.values()].map(({ element }) => element),
      );
      if (wanted.length === 0)
        fill(
          this.#charts,
          empty('No metric', 'Neither the clients nor the aggregator measured any in these rounds.'),
        );
    }
    const x = rounds.map(({ round }) => round);
    for (const [metric, chart] of this.#lines) {
      const lines = linesOf(rounds, metric);
      const verdict = learning(rounds, metric);
      const range = `Rounds ${count(x[0])} to ${count(x.at(-1))}`;
      chart.update({
        x,
        lines,
        summary: `${range}: ${verdict.value} in the newest${verdict.trend === 'unknown' ? '' : `, ${verdict.detail}`}.`,
      });
    }
  }

  #liveChanged() {
    this.#drawCurrent();
    this.#drawAlarms();
    this.#drawHead();
    if (this.#series) this.#drawCards();
  }

  #drawAlarms() {
    const alarms = this.#live?.alarms ?? [];
    const recent = alarms.slice(-3).reverse();
    patch(
      this.#alarms,
      recent.length > 0 &&
        h(
          'section',
          { class: 'panel alarms', 'aria-labelledby': 'alarms' },
          h(
            'div',
            { class: 'panel-head' },
            h('h2', { id: 'alarms' }, 'Alarms'),
            h('a', { href: routeTo('log', { parameters: { level: 'warning' } }) }, 'All in the log'),
          ),
          h(
            'ul',
            {},
            recent.map(({ level, at, text, count: times, first_at }) =>
              h(
                'li',
                {},
                stateBadge(level),
                h('time', { datetime: at }, clock(at)),
                h(
                  'span',
                  { class: 'message', title: visible(text) },
                  visible(text),
                  times > 1 &&
                    h('span', { class: 'soft' }, ` (the newest of ${count(times)} since ${clock(first_at)})`),
                ),
              ),
            ),
          ),
        ),
    );
  }

  #drawCurrent() {
    const live = this.#live;
    if (!live) {
      fill(this.#current);
      this.#timeline = null;
      return;
    }
    if (!this.#timeline || this.#timelineMasked !== this.#masked) {
      this.#timelineMasked = this.#masked;
      this.#timeline = new LiveTimeline({ masked: this.#masked });
      fill(
        this.#current,
        h(
          'section',
          { class: 'panel', 'aria-labelledby': 'current' },
          h('div', { class: 'panel-head' }, h('h2', { id: 'current' }, 'Current round'), this.#liveText),
          this.#timeline.element,
          timelineKey(this.#masked),
        ),
      );
    }
    patch(this.#liveText, liveSentence(live, this.#masked));
    const { tracks } = this.context.store;
    this.#timeline.update(tracks.tracks, tracks.elapsed, live.round_seconds_median);
  }

  #timelineMasked = false;

  get #masked() {
    return this.#privacy?.secure_aggregation ?? Boolean(this.#series?.newest?.secure);
  }

  /** @param {Round} round */
  #say(round) {
    const metric = this.#metric;
    const value = metric ? learning(this.#series?.rounds ?? [], metric).value : '';
    announce(
      `Round ${round.round}: ${round.counted} of ${round.selected} clients counted. ${metric ?? ''} ${value}`,
    );
  }
}

/** @param {string | null} metric @param {string} best */
function isBestOf(metric, best) {
  return metric === best;
}

/** @param {Round[]} rounds @param {string} metric @returns {Line[]} */
export function linesOf(rounds, metric) {
  return sources.flatMap(({ source, label, explanation }) => {
    const values = rounds.map((round) => valueOf(round, source, metric));
    return values.some((value) => value !== null) ? [{ label, explanation, values }] : [];
  });
}

/** @param {Live} live @param {boolean} masked */
function liveSentence(live, masked) {
  const since = `for ${duration(live.phase_seconds)}`;
  const attempt = live.attempt > 1 ? `, attempt ${live.attempt}` : '';
  const waits = live.waits && `waits ${live.waits}`;
  const detail = [waits, live.exchange, live.retry].filter(Boolean).map(visible).join(' · ');
  const phases = {
    gathering:
      live.starts_in_seconds !== null
        ? `starts in ${roughDuration(live.starts_in_seconds)}`
        : `gathers clients: ${count(live.ready)} ready, ${count(live.needed)} needed`,
    training: `clients train and upload ${since}`,
    unmasking: masked ? `the masks of the sum are removed ${since}` : `ends ${since}`,
    committing: `the new model is written ${since}`,
    finished: live.why_done ? visible(live.why_done) : 'finished',
  };
  return [
    h('strong', {}, `Round ${count(live.round)}${attempt}`),
    ` ${phases[live.phase]}`,
    detail && h('span', { class: 'soft' }, ` · ${detail}`),
  ];
}

/**
 * @param {string} question @param {string} tone @param {import('../components/icon.js').IconName} picture
 * @param {string} answer @param {...import('../components/dom.js').Child} content
 */
function card(question, tone, picture, answer, ...content) {
  return h(
    'section',
    { class: `card ${tone}` },
    h('h2', { class: 'card-question' }, question),
    h('p', { class: 'card-answer' }, icon(picture), answer),
    ...content,
  );
}

/** A sparkline has the width of a word. @param {number[]} values */
function thin(values) {
  const step = Math.max(1, Math.ceil(values.length / 100));
  return values.filter((_, index) => index % step === 0 || index === values.length - 1);
}
