// What the aggregator can see in this configuration, and how many clients may drop out or collude.
import { api } from '../api.js';
import { LineChart } from '../charts/line_chart.js';
import { badge } from '../components/badge.js';
import { fill, h } from '../components/dom.js';
import { icon } from '../components/icon.js';
import { plainTable } from '../components/plain_table.js';
import { empty, tile } from '../components/text.js';
import { count, plural, visible } from '../format.js';
import { heading, load } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { Privacy } from '../types.js' */
/** @import { RoundSeries } from '../series.js' */

/** @type {import('./view.js').View} */
export function privacy(context) {
  const page = h('div', { class: 'view' });
  const place = h('div', { class: 'sections' });
  const { run } = context;
  fill(page, heading('Privacy and security'), place);
  if (!run) {
    fill(place, empty('No run yet', 'What the aggregator sees depends on the configuration of a run.'));
    return page;
  }
  const fetchAll = (/** @type {AbortSignal} */ signal) =>
    Promise.all([api.privacy(run, signal), context.store.series(run)]);
  load(context, place, fetchAll, ([value, series]) => draw(context, value, series));
  return page;
}

/** @param {ViewContext} context @param {Privacy} value @param {RoundSeries} series */
function draw(context, value, series) {
  const { thresholds } = value;
  const model = {
    semi_honest: 'an aggregator that follows the protocol',
    active: 'also an aggregator that deviates from the protocol',
  };
  return [
    h(
      'section',
      { class: `card wide ${value.secure_aggregation ? 'good' : 'warn'}` },
      h(
        'p',
        { class: 'card-answer' },
        icon(value.secure_aggregation ? 'lock' : 'eye'),
        value.secure_aggregation
          ? 'The aggregator sees the sum of the updates, and no single one'
          : 'The aggregator sees every single update',
      ),
      h(
        'p',
        {},
        value.secure_aggregation
          ? `Secure aggregation is enabled. It protects against ${value.model ? model[value.model] : 'the threat model of the configuration'}.`
          : 'Secure aggregation is disabled in this configuration. Examples never leave the devices; [secure_aggregation] hides single updates as well.',
      ),
    ),
    h(
      'section',
      { class: 'panel', 'aria-labelledby': 'sees' },
      h('h2', { id: 'sees' }, 'What the aggregator can see'),
      plainTable({
        label: 'What the aggregator can see',
        columns: [
          { title: 'What', cell: ({ what }) => visible(what) },
          {
            title: 'Visible',
            cell: (entry) =>
              entry.visible ? badge('warn', 'eye', 'visible') : badge('good', 'hidden', 'hidden'),
          },
          { title: 'Detail', cell: ({ detail }) => h('span', { class: 'message' }, visible(detail)) },
        ],
        rows: value.sees,
      }),
    ),
    value.secure_aggregation &&
      h(
        'div',
        { class: 'tiles' },
        tile('Clients for a sum', count(thresholds.clients_min), 'with fewer, no sum is revealed'),
        tile(
          'Shares that rebuild a mask',
          count(thresholds.threshold),
          'the threshold of the secret sharing',
        ),
        tile('May collude', count(thresholds.corrupt), 'clients, together with the aggregator'),
        tile('May drop out', count(thresholds.dropouts), 'clients in one round'),
        tile('Masks rebuilt', count(value.recovered_total), 'of lost clients, in all rounds'),
        tile('Sums refused', count(value.refused_sums), 'they were no sums of updates'),
      ),
    value.secure_aggregation && recoveries(context, series),
  ];
}

/** @param {ViewContext} context @param {RoundSeries} series */
function recoveries(context, series) {
  if (!series.rounds.some(({ secure }) => secure)) return null;
  const chart = new LineChart({ title: 'Clients in secure sums', text: count });
  context.left.addEventListener('abort', () => chart.destroy());
  const update = () => {
    const recovered = series.rounds.filter(({ secure }) => secure && secure.recovered > 0).length;
    chart.update({
      x: series.rounds.map(({ round }) => round),
      lines: [
        { label: 'exchanged keys', values: series.rounds.map(({ secure }) => secure?.with_keys ?? null) },
        { label: 'in the sum', values: series.rounds.map(({ counted }) => counted) },
        { label: 'masks rebuilt', values: series.rounds.map(({ secure }) => secure?.recovered ?? null) },
      ],
      summary: `Masks of lost clients were rebuilt in ${plural(recovered, 'round')} of those shown.`,
    });
  };
  context.on('series', update);
  requestAnimationFrame(update);
  return h('section', { class: 'panel' }, chart.element);
}
