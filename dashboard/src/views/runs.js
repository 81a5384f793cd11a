// All runs, and a chart that compares some of them.
import { LineChart } from '../charts/line_chart.js';
import { stateBadge } from '../components/badge.js';
import { fill, h } from '../components/dom.js';
import { empty, failure, labelled, nameLink } from '../components/text.js';
import { plainTable } from '../components/plain_table.js';
import { bytes, capital, count, dateTime, duration, metricValue, plural, visible } from '../format.js';
import { routeTo } from '../router.js';
import { mainMetric, metricNames, trusted, valueOf, sources } from '../series.js';
import { heading, throttle } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { RoundSeries } from '../series.js' */

const comparedMax = 6;

const axes = /** @type {const} */ ({
  round: { title: 'round', label: 'rounds', text: count },
  seconds: { title: 'training time', label: 'time', text: duration },
  bytes: { title: 'bytes', label: 'bytes sent and received', text: bytes },
});
/** @typedef {keyof typeof axes} AxisName */

/** @type {import('./view.js').View} */
export function runs(context) {
  const page = h('div', { class: 'view' });
  const place = h('div', { class: 'sections' });
  fill(page, heading('Runs'), place);
  if (context.store.runs.length === 0) {
    fill(place, empty('No run yet', 'Runs appear here when they begin.'));
    context.on(
      'runs',
      () => context.store.runs.length > 0 && place.querySelector('.empty') && new Comparison(context, place),
    );
  } else {
    new Comparison(context, place);
  }
  return page;
}

class Comparison {
  /** @type {string[]} */ #chosen;
  /** @type {Map<string, RoundSeries>} */ #series = new Map();
  #table = h('div');
  #chartPlace = h('div');
  #problem = h('div');
  #metric = h('select', { id: 'compare-metric' });
  #axis = h(
    'select',
    { id: 'compare-axis' },
    Object.entries(axes).map(([value, { label }]) => h('option', { value }, label)),
  );
  /** @type {LineChart | null} */ #chart = null;
  #chartKey = '';

  /** @param {ViewContext} context @param {HTMLElement} place */
  constructor(context, place) {
    this.context = context;
    const { parameters } = context.route;
    const readable = context.store.runs
      .filter(({ state, rounds }) => state !== 'unreadable' && rounds > 0)
      .map(({ run }) => run);
    const named = parameters.getAll('with').flatMap((text) => text.split(','));
    this.#chosen = (
      named.length > 0 ? named.filter((run) => readable.includes(run)) : readable.slice(0, 3)
    ).slice(0, comparedMax);
    const axis = parameters.get('by');
    if (axis && axis in axes) this.#axis.value = axis;
    this.#metric.addEventListener('change', () => this.#draw());
    this.#axis.addEventListener('change', () => this.#draw());
    fill(
      place,
      h(
        'section',
        { class: 'panel', 'aria-labelledby': 'compare' },
        h(
          'div',
          { class: 'panel-head' },
          h('h2', { id: 'compare' }, 'Comparison'),
          h('div', { class: 'tools' }, labelled('Metric', this.#metric), labelled('over', this.#axis)),
        ),
        this.#problem,
        this.#chartPlace,
      ),
      h(
        'section',
        { class: 'panel', 'aria-labelledby': 'all-runs' },
        h('h2', { id: 'all-runs' }, 'All runs'),
        h('p', { class: 'soft' }, `Mark up to ${comparedMax} runs to compare them.`),
        this.#table,
      ),
    );
    this.#drawTable();
    context.on(
      'runs',
      throttle(() => this.#drawTable(), 2000),
    );
    context.on('series', () => this.#draw());
    context.left.addEventListener('abort', () => this.#chart?.destroy());
    this.#load();
  }

  async #load() {
    try {
      for (const run of this.#chosen) this.#series.set(run, await this.context.store.series(run));
      fill(this.#problem);
    } catch (error) {
      if (!this.context.left.aborted)
        fill(
          this.#problem,
          failure(error, () => this.#load()),
        );
    }
    if (!this.context.left.aborted) this.#draw();
  }

  /** @param {string} run @param {boolean} checked */
  #choose(run, checked) {
    this.#chosen = this.#chosen.filter((entry) => entry !== run);
    if (checked) this.#chosen.push(run);
    if (this.#chosen.length > comparedMax) this.#chosen.shift();
    this.context.replace(
      routeTo('runs', {
        run: this.context.route.run,
        parameters: { with: this.#chosen.join(','), by: this.#axis.value },
      }),
    );
    for (const box of this.#table.querySelectorAll('input')) box.checked = this.#chosen.includes(box.value);
    this.#load();
  }

  #drawTable() {
    const focused =
      document.activeElement instanceof HTMLInputElement && this.#table.contains(document.activeElement)
        ? document.activeElement.value
        : null;
    fill(
      this.#table,
      plainTable({
        label: 'Runs, newest first',
        columns: [
          { title: 'Run', cell: (run) => nameLink(routeTo('overview', { run: run.run }), run.run) },
          {
            title: 'Compare',
            cell: ({ run, state, rounds }) => {
              const change = (/** @type {Event} */ event) =>
                event.target instanceof HTMLInputElement && this.#choose(run, event.target.checked);
              const disabled = state === 'unreadable' || rounds === 0;
              return h('input', {
                type: 'checkbox',
                value: run,
                checked: this.#chosen.includes(run),
                disabled,
                'aria-label': `Compare ${visible(run)}`,
                on: { change },
              });
            },
          },
          {
            title: 'State',
            cell: (run) => [
              stateBadge(run.state),
              run.problem && h('span', { class: 'message problem' }, visible(run.problem)),
            ],
          },
          {
            title: 'Rounds',
            number: true,
            cell: (run) =>
              run.rounds_configured
                ? `${count(run.rounds)} of ${count(run.rounds_configured)}`
                : count(run.rounds),
          },
          {
            title: 'Best',
            number: true,
            cell: ({ best }) =>
              best
                ? `${metricValue(best.metric, best.value)} (${visible(best.metric)}, round ${count(best.round)})`
                : '–',
          },
          {
            title: 'Last',
            number: true,
            cell: ({ last }) => (last ? metricValue(last.metric, last.value) : '–'),
          },
          { title: 'Began', cell: (run) => h('time', {}, dateTime(run.started_at)) },
          { title: 'Started from', cell: (run) => visible(run.started_from) || '–' },
          {
            title: 'Federation',
            cell: (run) => [visible(run.federation) || '–', run.kind === 'simulated' && ' (simulated)'],
          },
        ],
        rows: this.context.store.runs,
      }),
    );
    for (const box of this.#table.querySelectorAll('input'))
      if (box.value === focused) box.focus({ preventScroll: true });
  }

  #draw() {
    const shown = this.#chosen.flatMap((run) => {
      const series = this.#series.get(run);
      return series && series.rounds.length > 0 ? [{ run, series }] : [];
    });
    const names = [...new Set(shown.flatMap(({ series }) => metricNames(series.rounds)))];
    const chosen =
      this.#metric.value ||
      this.context.route.parameters.get('metric') ||
      mainMetric(names, this.context.store.run(shown[0]?.run ?? '')?.best?.metric);
    const options = names.map((name) =>
      h('option', { value: name, selected: name === chosen }, visible(name)),
    );
    if (options.length !== this.#metric.options.length) fill(this.#metric, options);
    const metric = this.#metric.value;
    if (shown.length === 0 || !metric) {
      this.#chart?.destroy();
      this.#chart = null;
      this.#chartKey = '';
      fill(this.#chartPlace, empty('Nothing to compare', 'Mark a run that has rounds in the table below.'));
      return;
    }
    const axisName = /** @type {AxisName} */ (this.#axis.value);
    const axis = axes[axisName];
    const key = `${axisName}\n${metric}`;
    if (!this.#chart || key !== this.#chartKey) {
      this.#chart?.destroy();
      this.#chartKey = key;
      this.#chart = new LineChart({
        title: `${capital(visible(metric))} over ${axis.label}`,
        xTitle: axis.title,
        xText: axis.text,
        text: (value) => metricValue(metric, value),
        height: 320,
        level: 3,
      });
      fill(this.#chartPlace, this.#chart.element);
    }
    const curves = shown.map(({ run, series }) => curve(run, series, metric, axisName));
    const x = [...new Set(curves.flatMap(({ points }) => [...points.keys()]))].sort((a, b) => a - b);
    this.#chart.update({
      x,
      lines: curves.map(({ run, points, source }) => ({
        label: visible(run),
        explanation: source,
        values: x.map((at) => points.get(at) ?? null),
      })),
      summary: `${plural(curves.length, 'run')}: ${curves.map(({ run, last }) => `${visible(run)} ${metricValue(metric, last)}`).join(', ')}.`,
    });
  }
}

/** @param {string} run @param {RoundSeries} series @param {string} metric @param {AxisName} axis */
function curve(run, series, metric, axis) {
  const source = trusted(series.rounds, metric)?.source ?? 'evaluation';
  /** @type {Map<number, number>} */
  const points = new Map();
  let sum = 0;
  let before = 0;
  let last = null;
  for (const round of series.rounds) {
    // Of a thinned series, the rounds that are left out count as the next one that is not.
    const rounds = before === 0 ? 1 : round.round - before;
    before = round.round;
    sum += rounds * (axis === 'seconds' ? round.seconds : round.bytes_up + round.bytes_down);
    const value = valueOf(round, source, metric);
    if (value === null) continue;
    points.set(axis === 'round' ? round.round : sum, value);
    last = value;
  }
  return { run, points, last, source: sources.find((entry) => entry.source === source)?.explanation ?? '' };
}
