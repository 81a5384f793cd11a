// The norm of the update of each layer (rows) over rounds (columns), on a logarithmic scale of colours.
import { fill, h } from '../components/dom.js';
import { plainTable } from '../components/plain_table.js';
import { name } from '../components/text.js';
import { count, decimal, isNumber } from '../format.js';
import { heatColor } from './palette.js';

/** @import { Model } from '../types.js' */

const rowHeight = 20;

/** @param {Model['norms']} norms */
export function heatMap(norms) {
  const values = norms.by_layer
    .flatMap((layer) => layer.norms.filter((norm) => isNumber(norm) && norm > 0))
    .map(Number);
  // Not Math.min(...values): there may be more values than a call takes arguments.
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  const scale = (/** @type {number} */ norm) =>
    high > low ? (Math.log(norm) - Math.log(low)) / (Math.log(high) - Math.log(low)) : 1;

  const largest = norms.by_layer
    .map((layer) => ({ name: layer.name, norm: layer.norms.findLast(isNumber) ?? 0 }))
    .sort((a, b) => b.norm - a.norm)[0];
  const first = norms.rounds[0] ?? 0;
  const last = norms.rounds.at(-1) ?? 0;
  const summary =
    `${norms.by_layer.length} layers over rounds ${count(first)} to ${count(last)}; norms from ${decimal(low)} to ${decimal(high)}.` +
    (largest ? ` In the newest round, ${largest.name} moves most.` : '');

  const canvas = h('canvas', { class: 'heat', role: 'img', 'aria-label': `Heat map. ${summary}` });
  canvas.width = Math.max(1, norms.rounds.length);
  canvas.height = Math.max(1, norms.by_layer.length);
  const context = canvas.getContext('2d');
  norms.by_layer.forEach((layer, row) => {
    layer.norms.forEach((norm, column) => {
      if (!context || !isNumber(norm) || norm <= 0) return;
      context.fillStyle = heatColor(scale(norm));
      context.fillRect(column, row, 1, 1);
    });
  });

  const readout = h(
    'p',
    { class: 'chart-summary', 'aria-hidden': 'true' },
    'Point at the map to read a value.',
  );
  canvas.addEventListener('pointermove', (event) => {
    const column = Math.floor((event.offsetX / canvas.clientWidth) * norms.rounds.length);
    const layer = norms.by_layer[Math.floor((event.offsetY / canvas.clientHeight) * norms.by_layer.length)];
    const norm = layer?.norms[column];
    if (layer)
      readout.replaceChildren(name(layer.name), ` · round ${count(norms.rounds[column])} · ${decimal(norm)}`);
  });

  const key = h('canvas', { class: 'heat-key', 'aria-hidden': 'true' });
  key.width = 64;
  key.height = 1;
  const keyContext = key.getContext('2d');
  for (let place = 0; keyContext && place < 64; place++) {
    keyContext.fillStyle = heatColor(place / 63);
    keyContext.fillRect(place, 0, 1, 1);
  }

  const table = h('div');
  const details = h('details', { class: 'chart-data' }, h('summary', {}, 'Data table'), table);
  details.addEventListener('toggle', () => details.open && fill(table, dataTable(norms)));

  return h(
    'figure',
    { class: 'chart' },
    h(
      'figcaption',
      {},
      h('h2', {}, 'Norm of the update, by layer'),
      h('p', { class: 'chart-summary' }, summary),
    ),
    h(
      'div',
      { class: 'heat-grid' },
      h(
        'ul',
        { class: 'heat-names', 'aria-hidden': 'true', style: { 'grid-auto-rows': `${rowHeight}px` } },
        norms.by_layer.map((layer) => h('li', {}, name(layer.name))),
      ),
      h('div', { style: { height: `${rowHeight * norms.by_layer.length}px` } }, canvas),
      h('span', {}),
      h(
        'div',
        { class: 'heat-axis' },
        h('span', {}, `round ${count(first)}`),
        h('span', {}, `round ${count(last)}`),
      ),
    ),
    h('p', { class: 'heat-scale' }, decimal(low), key, decimal(high)),
    readout,
    details,
  );
}

/** @param {Model['norms']} norms */
function dataTable(norms) {
  const step = Math.max(1, Math.ceil(norms.rounds.length / 20));
  const chosen = norms.rounds
    .map((_, index) => index)
    .filter((index) => index % step === 0 || index === norms.rounds.length - 1);
  return plainTable({
    label: 'Norm of the update by layer, data',
    columns: [
      { title: 'layer', cell: (layer) => name(layer.name) },
      ...chosen.map((index) => ({
        title: `round ${count(norms.rounds[index])}`,
        number: true,
        cell: (/** @type {Model['norms']['by_layer'][number]} */ layer) => decimal(layer.norms[index]),
      })),
    ],
    rows: norms.by_layer,
  });
}
