// All rounds of a run. By number, pages of rows are fetched when they are seen; by another column, all rounds are.
import { api } from '../api.js';
import { fill, h, patch, setText } from '../components/dom.js';
import { icon } from '../components/icon.js';
import { empty, failure, loading } from '../components/text.js';
import { plainTable } from '../components/plain_table.js';
import { sortRows, VirtualTable } from '../components/virtual_table.js';
import { bytes, count, dateTime, decimal, duration, metricValue, plural, visible } from '../format.js';
import { routeTo } from '../router.js';
import { mainMetric, metricNames, trusted } from '../series.js';
import { AllRounds } from './all_rounds.js';
import { RoundPages } from './round_pages.js';
import { heading, throttle } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { AbandonCause, Round, RunDetail } from '../types.js' */
/** @import { RoundSeries } from '../series.js' */

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
  const pages = new RoundPages(context, run, series, () => table.update(size()));
  const all = new AllRounds(run, context.left);
  const size = () => series.last - pages.first + 1;
  const main = mainMetric(metricNames(series.rounds), context.store.run(run)?.best?.metric);
  const others = metricNames(series.rounds).filter((name) => name !== main);
  const metrics = [main, others.find((name) => name === 'loss')].filter((name) => typeof name === 'string');
  const { parameters } = context.route;
  let sorted = { key: parameters.get('sort') ?? 'round', descending: parameters.get('order') !== 'up' };
  /** In the order of the table; null: by number. @type {Round[] | null} */
  let order = null;
  const roundAt = (/** @type {number} */ index) =>
    sorted.descending ? series.last - index : pages.first + index;
  /** @type {import('../components/virtual_table.js').Column<Round>[]} */
  const columns = [
    {
      key: 'round',
      sort: (round) => round.round,
      title: 'Round',
      width: '6.5rem',
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
      sort: (round) => round.counted,
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
      sort: (round) => round.lost,
      title: 'Lost',
      width: '5.5rem',
      number: true,
      cell: (round) =>
        round.lost > 0 ? h('span', { class: 'lost' }, icon('warning'), count(round.lost)) : '0',
    },
    ...metrics.map((metric) => ({
      key: `metric:${metric}`,
      sort: (/** @type {Round} */ round) => trusted([round], metric)?.points[0]?.value ?? null,
      title: metric,
      width: '7rem',
      number: true,
      cell: (/** @type {Round} */ round) => metricValue(metric, trusted([round], metric)?.points[0]?.value),
    })),
    {
      key: 'seconds',
      sort: (round) => round.seconds,
      title: 'Duration',
      width: '7rem',
      number: true,
      cell: (round) => duration(round.seconds),
    },
    {
      key: 'up',
      title: 'Received',
      width: '7.5rem',
      number: true,
      sort: (round) => round.bytes_up,
      cell: (round) => bytes(round.bytes_up),
    },
    {
      key: 'down',
      title: 'Sent',
      width: '6.5rem',
      number: true,
      sort: (round) => round.bytes_down,
      cell: (round) => bytes(round.bytes_down),
    },
    {
      key: 'norm',
      sort: (round) => round.update_norm,
      title: 'Update norm',
      width: '9rem',
      number: true,
      cell: (round) => decimal(round.update_norm),
    },
    {
      key: 'examples',
      sort: (round) => round.examples,
      title: 'Examples',
      width: '8rem',
      number: true,
      cell: (round) => count(round.examples),
    },
    {
      key: 'attempt',
      sort: (round) => round.attempt,
      title: 'Attempt',
      width: '7rem',
      number: true,
      cell: (round) => count(round.attempt),
    },
    {
      key: 'started',
      sort: (round) => round.started_at,
      title: 'Started',
      width: '11rem',
      cell: (round) => h('time', { datetime: round.started_at }, dateTime(round.started_at)),
    },
  ];
  if (!columns.some(({ key }) => key === sorted.key)) sorted = { key: 'round', descending: true };
  const table = new VirtualTable({
    label: 'Rounds',
    columns,
    sorted,
    rowAt: (index) => (order ? (order[index] ?? null) : pages.get(roundAt(index))),
    onSort: (key, descending) => {
      sorted = { key, descending };
      context.replace(routeTo('rounds', { run: context.route.run, parameters: sortParameters() }));
      sort();
      table.scrollTo(0);
    },
  });
  context.left.addEventListener('abort', () => table.destroy());

  /** @returns {Record<string, string>} */
  const sortParameters = () =>
    sorted.key === 'round' && sorted.descending
      ? {}
      : { sort: sorted.key, order: sorted.descending ? 'down' : 'up' };
  const total = h('span', { class: 'soft', role: 'status' });
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
    if (wanted < pages.first || wanted > series.last) return;
    const byNumber = sorted.descending ? series.last - wanted : wanted - pages.first;
    table.scrollTo(order ? order.findIndex(({ round }) => round === wanted) : byNumber);
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

  // Draws the table in the chosen order. Until all rounds are there, it stays in the order of their numbers.
  const sort = async () => {
    const by = columns.find(({ key }) => key === sorted.key)?.sort;
    const wanted = sorted;
    if (!by || sorted.key === 'round') {
      order = null;
      table.update(size());
      setText(total, plural(size(), 'round'));
      return;
    }
    if (series.last > AllRounds.most) {
      setText(total, `${plural(size(), 'round')}: too many to sort, newest first`);
      return;
    }
    try {
      await all.load(series.last, (known) =>
        setText(total, `Loading ${count(known)} of ${plural(size(), 'round')} to sort them`),
      );
    } catch (error) {
      // A view that was left needs no answer.
      if (!context.left.aborted)
        setText(total, `Not sorted: ${error instanceof Error ? error.message : 'no answer'}`);
      return;
    }
    if (wanted !== sorted) return; // Another column was chosen meanwhile.

    all.takeFrom(series);
    order = sortRows(all.rounds, by, sorted.descending);
    table.update(order.length);
    setText(total, plural(order.length, 'round'));
  };
  const sortSoon = throttle(sort, 1000);

  const update = () => {
    input.max = String(series.last);
    pages.takeFromSeries();
    if (sorted.key !== 'round') {
      sortSoon();
      return;
    }
    setText(total, plural(size(), 'round'));
    table.update(size());
  };
  context.on('series', update);
  update();
  if (sorted.key !== 'round') sort();
}

/** The steps of an attempt, by the cause of its end. @type {Record<AbandonCause, string>} */
const CAUSES = {
  unknown: '',
  cohort: 'start',
  updates: 'updates',
  opening: 'opening the sum',
  refused_sum: 'sum refused',
};

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
        { title: 'Failed at', cell: ({ cause }) => CAUSES[cause] },
        { title: 'Reason', cell: ({ reason }) => visible(reason) },
      ],
      rows: [...attempts].reverse(),
    }),
  );
}
