// All rounds of a run, newest first. Pages of rows are fetched when they are seen.
import { api } from '../api.js';
import { fill, h, patch, setText } from '../components/dom.js';
import { icon } from '../components/icon.js';
import { empty, failure, loading } from '../components/text.js';
import { plainTable } from '../components/plain_table.js';
import { VirtualTable } from '../components/virtual_table.js';
import { bytes, count, dateTime, decimal, duration, metricValue, plural, visible } from '../format.js';
import { routeTo } from '../router.js';
import { mainMetric, metricNames, trusted } from '../series.js';
import { heading, throttle } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { Round, RunDetail } from '../types.js' */
/** @import { RoundSeries } from '../series.js' */

const pageSize = 200;
const pagesKept = 30;

/** @type {import('./view.js').View} */
export function rounds(context) {
  const page = h('div', { class: 'view fills' });
  const place = h('div', { class: 'fills' }, loading());
  fill(page, heading('Rounds'), place);
  if (!context.run)
    fill(place, empty('No run yet', 'Rounds appear here when the aggregator has committed one.'));
  else open(context, context.run, place);
  return page;
}

/** @param {ViewContext} context @param {string} run @param {HTMLElement} place */
async function open(context, run, place) {
  try {
    const series = await context.store.series(run);
    if (!context.left.aborted) draw(context, run, series, place);
  } catch (error) {
    if (!context.left.aborted)
      fill(
        place,
        failure(error, () => open(context, run, place)),
      );
  }
}

/** @param {ViewContext} context @param {string} run @param {RoundSeries} series @param {HTMLElement} place */
function draw(context, run, series, place) {
  if (series.rounds.length === 0) {
    fill(place, empty('No round yet', 'Rounds appear here when they are committed.'));
    context.on(
      'series',
      () => series.rounds.length > 0 && !place.querySelector('table') && draw(context, run, series, place),
    );
    return;
  }
  const pages = new Pages(context, run, series, () => table.update(size()));
  const size = () => series.last - pages.first + 1;
  const main = mainMetric(metricNames(series.rounds), context.store.run(run)?.best?.metric);
  const others = metricNames(series.rounds).filter((name) => name !== main);
  const metrics = [main, others.find((name) => name === 'loss')].filter((name) => typeof name === 'string');
  const table = new VirtualTable({
    label: 'Rounds, newest first',
    rowAt: (index) => pages.get(series.last - index),
    columns: [
      {
        key: 'round',
        title: 'Round',
        width: '5.5rem',
        number: true,
        cell: (/** @type {Round} */ round) =>
          h(
            'a',
            { href: routeTo('rounds', { item: round.round, run: context.route.run }) },
            count(round.round),
          ),
      },
      {
        key: 'clients',
        title: 'Counted',
        width: '10rem',
        cell: (round) => [
          h('meter', {
            min: '0',
            max: String(Math.max(1, round.selected)),
            value: String(round.counted),
            'aria-label': `${round.counted} of ${round.selected} counted`,
          }),
          h('span', {}, `${count(round.counted)} of ${count(round.selected)}`),
        ],
      },
      {
        key: 'lost',
        title: 'Lost',
        width: '5rem',
        number: true,
        cell: (round) =>
          round.lost > 0 ? h('span', { class: 'lost' }, icon('warning'), count(round.lost)) : '0',
      },
      ...metrics.map((metric) => ({
        key: metric,
        title: metric,
        width: '7rem',
        number: true,
        cell: (/** @type {Round} */ round) => metricValue(metric, trusted([round], metric)?.points[0]?.value),
      })),
      {
        key: 'seconds',
        title: 'Duration',
        width: '7rem',
        number: true,
        cell: (round) => duration(round.seconds),
      },
      { key: 'up', title: 'Received', width: '6.5rem', number: true, cell: (round) => bytes(round.bytes_up) },
      { key: 'down', title: 'Sent', width: '6.5rem', number: true, cell: (round) => bytes(round.bytes_down) },
      {
        key: 'norm',
        title: 'Update norm',
        width: '7.5rem',
        number: true,
        cell: (round) => decimal(round.update_norm),
      },
      {
        key: 'examples',
        title: 'Examples',
        width: '7rem',
        number: true,
        cell: (round) => count(round.examples),
      },
      {
        key: 'attempt',
        title: 'Attempt',
        width: '5.5rem',
        number: true,
        cell: (round) => count(round.attempt),
      },
      {
        key: 'started',
        title: 'Started',
        width: '11rem',
        cell: (round) => h('time', { datetime: round.started_at }, dateTime(round.started_at)),
      },
    ],
  });
  context.left.addEventListener('abort', () => table.destroy());

  const total = h('span', { class: 'soft' });
  const input = h('input', {
    id: 'go-to-round',
    type: 'number',
    min: '1',
    inputmode: 'numeric',
    class: 'short',
  });
  const go = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const wanted = Number(input.value);
    if (wanted >= pages.first && wanted <= series.last) table.scrollTo(series.last - wanted);
  };
  fill(
    place,
    h(
      'div',
      { class: 'tools' },
      h(
        'form',
        { class: 'inline', on: { submit: go } },
        h('label', { for: 'go-to-round' }, 'Go to round'),
        input,
        h('button', { class: 'button', type: 'submit' }, 'Go'),
      ),
      total,
    ),
    table.element,
  );
  const abandoned = h('div');
  place.append(abandoned);
  const loadAbandoned = throttle(async () => {
    const detail = await api.run(run, context.left).catch(() => null);
    if (detail && !context.left.aborted) patch(abandoned, abandonedPart(detail.abandoned));
  }, 3000);
  loadAbandoned();
  context.on('series', loadAbandoned);

  const update = () => {
    input.max = String(series.last);
    setText(total, plural(size(), 'round'));
    pages.takeFromSeries();
    table.update(size());
  };
  context.on('series', update);
  update();
}

/** Attempts that no model has: rounds were repeated. @param {RunDetail['abandoned']} attempts */
function abandonedPart(attempts) {
  if (attempts.length === 0) return null;
  return h(
    'details',
    { class: 'chart-data' },
    h('summary', {}, plural(attempts.length, 'abandoned attempt')),
    plainTable({
      label: 'Abandoned attempts, newest first',
      columns: [
        { title: 'Round', number: true, cell: ({ round }) => count(round) },
        { title: 'Attempt', number: true, cell: ({ attempt }) => count(attempt) },
        { title: 'When', cell: ({ at }) => h('time', { datetime: at }, dateTime(at)) },
        { title: 'Reason', cell: ({ reason }) => visible(reason) },
      ],
      rows: [...attempts].reverse(),
    }),
  );
}

/** The rounds that were fetched, in pages; the pages that were used longest ago are dropped. */
class Pages {
  #context;
  #run;
  #series;
  #arrived;
  /** @type {Map<number, Map<number, Round>>} */
  #pages = new Map();
  /** @type {Set<number>} */
  #asked = new Set();
  /** @type {Set<number>} */
  #wanted = new Set();
  #askSoon;
  #newestTaken = 0;

  /** @param {ViewContext} context @param {string} run @param {RoundSeries} series @param {() => void} arrived */
  constructor(context, run, series, arrived) {
    this.#context = context;
    this.#run = run;
    this.#series = series;
    this.#arrived = arrived;
    this.first = series.rounds[0]?.round ?? 1;
    // While a reader scrolls fast, pages that are only passed are not fetched.
    this.#askSoon = throttle(() => this.#ask(), 60);
  }

  /** Rounds that came with the stream need no request. */
  takeFromSeries() {
    for (let index = this.#series.rounds.length - 1; index >= 0; index--) {
      const round = this.#series.rounds[index];
      if (!round || round.round <= this.#newestTaken || index < this.#series.rounds.length - pageSize) break;
      const page = this.#pages.get(this.#pageOf(round.round));
      page?.set(round.round, round);
    }
    this.#newestTaken = this.#series.last;
  }

  /** @param {number} round */
  #pageOf(round) {
    return Math.floor((round - this.first) / pageSize);
  }

  /** @param {number} round @returns {Round | null} */
  get(round) {
    const number = this.#pageOf(round);
    const found = this.#pages.get(number)?.get(round);
    if (found) return found;
    if (!this.#asked.has(number)) {
      this.#wanted.add(number);
      this.#askSoon();
    }
    return null;
  }

  #ask() {
    // The pages that were asked for last are those that are seen now.
    const numbers = [...this.#wanted].slice(-3);
    this.#wanted.clear();
    for (const number of numbers) this.#fetch(number);
  }

  /** @param {number} number */
  async #fetch(number) {
    this.#asked.add(number);
    try {
      const after = this.first + number * pageSize - 1;
      const { rounds } = await api.rounds(this.#run, { after, limit: pageSize }, this.#context.left);
      this.#pages.delete(number);
      this.#pages.set(number, new Map(rounds.map((round) => [round.round, round])));
      for (const oldest of this.#pages.keys()) {
        if (this.#pages.size <= pagesKept) break;
        this.#pages.delete(oldest);
      }
    } catch {
      return; // The connection's state is shown; scrolling asks again.
    } finally {
      this.#asked.delete(number);
    }
    if (!this.#context.left.aborted) this.#arrived();
  }
}
