// The model: its layers, how much each moves, where it came from, and how to get it.
import { api } from '../api.js';
import { heatMap } from '../charts/heat_map.js';
import { LineChart } from '../charts/line_chart.js';
import { sparkline } from '../charts/sparkline.js';
import { fill, h } from '../components/dom.js';
import { command, empty, facts, name, nameLink, tile } from '../components/text.js';
import { plainTable } from '../components/plain_table.js';
import { bytes, count, decimal, isNumber, percent, plural, short, visible } from '../format.js';
import { routeTo } from '../router.js';
import { heading, load, refresh, throttle } from './view.js';
import { downloadButton } from './round.js';

/** @import { Model, RunDetail } from '../types.js' */

/** @type {import('./view.js').View} */
export function model(context) {
  const page = h('div', { class: 'view' });
  const place = h('div', { class: 'sections' });
  const { run } = context;
  fill(page, heading('Model'), place);
  if (!run) {
    fill(place, empty('No run yet', 'The model of the first run appears here.'));
    return page;
  }
  const fetchAll = (/** @type {AbortSignal} */ signal) =>
    Promise.all([api.model(run, signal), api.run(run, signal), context.store.series(run)]);
  /** @type {AbortController} */
  let charts = new AbortController();
  context.left.addEventListener('abort', () => charts.abort());
  const drawAll = (/** @type {Awaited<ReturnType<typeof fetchAll>>} */ [value, detail, series]) => {
    charts.abort();
    charts = new AbortController();
    const kept = series.rounds.findLast((round) => round.model_kept)?.round ?? null;
    return draw(charts.signal, value, detail, kept);
  };
  const soon = throttle(() => {
    // Not while a reader has a table open: it would close.
    if (!place.querySelector('details[open]')) refresh(context, place, fetchAll, drawAll);
  }, 15_000);
  context.on('series', soon);
  load(context, place, fetchAll, drawAll);
  return page;
}

/** @param {AbortSignal} replaced @param {Model} value @param {RunDetail} detail @param {number | null} kept  the newest round whose model is kept */
function draw(replaced, value, detail, kept) {
  const trained = value.layers.filter((layer) => layer.trained).reduce((sum, layer) => sum + layer.values, 0);
  const norms = new Map(value.norms.by_layer.map((layer) => [layer.name, layer.norms]));
  return [
    h(
      'div',
      { class: 'tiles' },
      tile(
        'Parameters',
        count(value.parameters),
        trained < value.parameters ? `${percent(trained / value.parameters)} are trained` : 'all are trained',
      ),
      tile('Size', bytes(value.bytes), 'as float32'),
      tile('Layers', count(value.layers.length)),
      tile('Method', detail.method || '–', detail.optimizer ? `server optimiser: ${detail.optimizer}` : ''),
    ),
    h(
      'section',
      { class: 'panel', 'aria-labelledby': 'lineage' },
      h('h2', { id: 'lineage' }, 'Where it came from'),
      h(
        'ol',
        { class: 'lineage' },
        value.lineage.map(({ run, round }, index) =>
          h(
            'li',
            {},
            nameLink(routeTo('overview', { run }), run),
            index > 0 ? ` at round ${count(round)}` : ' (this run)',
          ),
        ),
      ),
      facts([
        ['Archive', h('code', { title: detail.archive }, short(detail.archive))],
        ['Layout', h('code', { title: detail.layout }, short(detail.layout))],
        ['Initial model', h('code', { title: detail.initial_model }, short(detail.initial_model))],
        ['Seed', h('code', {}, visible(detail.seed))],
      ]),
      h('h3', {}, 'Save it as an archive'),
      h('p', {}, 'Run this on the machine of the aggregator:'),
      command(value.export_command),
      kept !== null &&
        h(
          'div',
          { class: 'button-row' },
          downloadButton(detail.run, kept),
          h('span', { class: 'soft' }, `of round ${count(kept)}`),
        ),
    ),
    h('section', { class: 'panel' }, normsPart(replaced, value)),
    statisticsPart(detail.statistics),
    h(
      'section',
      { class: 'panel', 'aria-labelledby': 'layers' },
      h('h2', { id: 'layers' }, 'Layers'),
      plainTable({
        label: 'Layers',
        columns: [
          { title: 'Layer', cell: (layer) => name(layer.name) },
          { title: 'Shape', cell: (layer) => layer.shape.join(' × ') || 'scalar' },
          { title: 'Values', number: true, cell: (layer) => count(layer.values) },
          {
            title: 'Of the model',
            cell: (layer) => [
              h(
                'span',
                { class: 'share-bar', 'aria-hidden': 'true' },
                h('span', { style: { width: `${(100 * layer.values) / Math.max(1, value.parameters)}%` } }),
              ),
              percent(layer.values / Math.max(1, value.parameters)),
            ],
          },
          { title: 'Trained', cell: (layer) => (layer.trained ? 'yes' : 'no') },
          {
            title: 'Norm of the update',
            cell: (layer) => {
              const values = norms.get(layer.name) ?? [];
              const newest = values.findLast(isNumber);
              return values.length > 1
                ? [
                    sparkline(values, `${layer.name}: norm over rounds, now ${decimal(newest)}`),
                    decimal(newest),
                  ]
                : decimal(newest);
            },
          },
        ],
        rows: value.layers,
      }),
    ),
  ];
}

const columnsMax = 200; // in the table of statistics

/** How the inputs of all clients are scaled. @param {RunDetail['statistics']} statistics */
function statisticsPart(statistics) {
  if (statistics === null) return null;
  const { means, deviations } = statistics;
  const shown = Math.min(means.length, columnsMax);
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': 'statistics' },
    h('h2', { id: 'statistics' }, 'Statistics of the inputs'),
    h(
      'p',
      {},
      `Computed once over the data of all clients, ${plural(means.length, 'column')}: each input is scaled by the mean and the deviation of its column.`,
    ),
    plainTable({
      label: shown < means.length ? `The first ${count(shown)} columns` : 'Columns of the inputs',
      columns: [
        { title: 'Column', number: true, cell: (column) => count(column + 1) },
        { title: 'Mean', number: true, cell: (column) => decimal(means[column]) },
        { title: 'Standard deviation', number: true, cell: (column) => decimal(deviations[column]) },
      ],
      rows: Array.from({ length: shown }, (_, column) => column),
    }),
    shown < means.length &&
      h(
        'p',
        { class: 'soft' },
        `The other ${count(means.length - shown)} are in the HTTP API and in "hansa status --json".`,
      ),
  );
}

/** @param {AbortSignal} replaced @param {Model} value */
function normsPart(replaced, { norms }) {
  if (norms.rounds.length === 0)
    return [
      h('h2', {}, 'Norm of the update, by layer'),
      empty(
        'Not known yet',
        'It is computed from the models of neighbouring rounds, as far as they are kept.',
      ),
    ];
  if (norms.by_layer.length > 6) return heatMap(norms);
  const chart = new LineChart({ title: 'Norm of the update, by layer', height: 260 });
  replaced.addEventListener('abort', () => chart.destroy());
  const newest = norms.by_layer
    .map((layer) => ({ layer: layer.name, norm: layer.norms.findLast(isNumber) ?? 0 }))
    .sort((a, b) => b.norm - a.norm)[0];
  requestAnimationFrame(() =>
    chart.update({
      x: norms.rounds,
      lines: norms.by_layer.map((layer) => ({ label: layer.name, values: layer.norms })),
      summary: `${plural(norms.by_layer.length, 'layer')} over rounds ${count(norms.rounds[0])} to ${count(norms.rounds.at(-1))}.${newest ? ` In the newest round, ${newest.layer} moves most: ${decimal(newest.norm)}.` : ''}`,
    }),
  );
  return chart.element;
}
