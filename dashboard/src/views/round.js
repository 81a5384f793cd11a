// One round: its phases, its participants, and why each lost client was lost.
import { api } from '../api.js';
import { stateBadge } from '../components/badge.js';
import { fill, h } from '../components/dom.js';
import { icon } from '../components/icon.js';
import { openDialog } from '../components/dialog.js';
import { empty, facts, name, nameLink, tile } from '../components/text.js';
import { sortRows, VirtualTable } from '../components/virtual_table.js';
import { plainTable } from '../components/plain_table.js';
import {
  bytes,
  count,
  dateTime,
  decimal,
  duration,
  metricValue,
  percent,
  plural,
  short,
  visible,
} from '../format.js';
import { routeTo } from '../router.js';
import { sources } from '../series.js';
import { heading, load } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { Participant, Round, RoundDetail } from '../types.js' */

/** @type {import('./view.js').View} */
export function round(context) {
  const number = Number(context.route.item);
  const page = h('div', { class: 'view' });
  const { run } = context;
  if (!run) {
    fill(page, heading(`Round ${number}`), empty('No run yet'));
    return page;
  }
  const place = h('div', { class: 'sections' });
  const link = (/** @type {number} */ to, /** @type {string} */ text) =>
    h('a', { class: 'button', href: routeTo('rounds', { item: to, run: context.route.run }) }, text);
  const neighbours = h('nav', { class: 'button-row', 'aria-label': 'Rounds' });
  const drawNeighbours = () => {
    const last = context.store.run(run)?.rounds ?? 0;
    fill(
      neighbours,
      number > 1 && link(number - 1, `← ${count(number - 1)}`),
      number < last && link(number + 1, `${count(number + 1)} →`),
    );
  };
  drawNeighbours();
  context.on('runs', drawNeighbours);
  fill(page, heading(`Round ${count(number)}`, neighbours), place);
  load(
    context,
    place,
    (signal) => api.round(run, number, signal),
    (value) => draw(context, run, value),
  );
  return page;
}

/** @param {ViewContext} context @param {string} run @param {RoundDetail} value */
function draw(context, run, value) {
  return [
    h(
      'div',
      { class: 'tiles' },
      tile(
        'Counted',
        `${count(value.counted)} of ${count(value.selected)}`,
        value.lost > 0 ? `${count(value.lost)} lost` : 'nobody lost',
      ),
      tile(
        'Duration',
        duration(value.seconds),
        value.attempt > 1 ? `attempt ${value.attempt}` : 'first attempt',
      ),
      tile(
        'Received',
        bytes(value.bytes_up),
        value.counted > 0 ? `${bytes(value.bytes_up / value.counted)} for each counted client` : '',
      ),
      tile('Sent', bytes(value.bytes_down)),
      tile('Norm of the update', decimal(value.update_norm)),
      tile('Examples', count(value.examples)),
    ),
    phases(value),
    lostPanel(value),
    participantsPanel(context, value),
    metricsPanel(value),
    value.layers && layersPanel(value.layers),
    modelPanel(context, run, value),
  ];
}

/** How the seconds of the round were spent. @param {Round} value */
function phases(value) {
  const setup = value.secure?.setup_seconds ?? 0;
  const unmask = value.secure?.unmask_seconds ?? 0;
  const rest = Math.max(0, value.seconds - setup - unmask);
  const parts = [
    { text: 'key exchange', seconds: setup, type: 'setup' },
    {
      text: value.secure ? 'training, masked uploads, commit' : 'training, uploads, commit',
      seconds: rest,
      type: 'train',
    },
    { text: 'unmasking', seconds: unmask, type: 'unmask' },
  ].filter(({ seconds }) => seconds > 0);
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': 'phases' },
    h('h2', { id: 'phases' }, 'Duration by phase'),
    h(
      'div',
      { class: 'stack', 'aria-hidden': 'true' },
      parts.map(({ seconds, type }) => h('span', { class: type, style: { 'flex-grow': String(seconds) } })),
    ),
    h(
      'ul',
      { class: 'stack-key' },
      parts.map(({ text, seconds, type }) =>
        h(
          'li',
          {},
          h('span', { class: `swatch ${type}`, 'aria-hidden': 'true' }),
          `${text}: `,
          h('strong', {}, duration(seconds)),
          ` (${percent(seconds / value.seconds)})`,
        ),
      ),
    ),
    value.secure &&
      facts([
        ['Clients with keys', count(value.secure.with_keys)],
        ['Masks rebuilt of lost clients', count(value.secure.recovered)],
        ['Neighbours, threshold', `${count(value.secure.neighbours)}, ${count(value.secure.threshold)}`],
        [
          'Bits of a value, of the ring',
          `${count(value.secure.value_bits)}, ${count(value.secure.ring_bits)}`,
        ],
        ['Clipped at', decimal(value.secure.clip)],
      ]),
  );
}

/** @param {RoundDetail} value */
function lostPanel(value) {
  const lost = value.participants.filter(({ outcome }) => outcome !== 'counted');
  if (lost.length === 0) return null;
  /** @type {Map<string, Participant[]>} */
  const groups = new Map();
  for (const entry of lost) {
    const key = `${entry.outcome}\n${entry.reason}`;
    groups.set(key, [...(groups.get(key) ?? []), entry]);
  }
  const shown = 12;
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': 'lost' },
    h('h2', { id: 'lost' }, `Why ${plural(lost.length, 'client was', 'clients were')} lost`),
    h(
      'ul',
      { class: 'reasons' },
      [...groups.values()]
        .sort((a, b) => b.length - a.length)
        .map((group) =>
          h(
            'li',
            {},
            stateBadge(group[0]?.outcome ?? ''),
            h('span', { class: 'message' }, visible(group[0]?.reason ?? '')),
            h(
              'span',
              { class: 'names' },
              group
                .slice(0, shown)
                .map(({ client }) => nameLink(routeTo('devices', { item: client }), client)),
              group.length > shown && `and ${count(group.length - shown)} more`,
            ),
          ),
        ),
    ),
  );
}

/** @param {ViewContext} context @param {RoundDetail} value */
function participantsPanel(context, value) {
  const longest = Math.max(1e-9, ...value.participants.map(({ seconds }) => seconds));
  const metricNames = [
    ...new Set(
      value.participants.slice(0, 50).flatMap(({ metrics }) => metrics.map((metric) => metric.name)),
    ),
  ].slice(0, 3);
  /** @type {import('../components/virtual_table.js').Column<Participant>[]} */
  const columns = [
    {
      key: 'client',
      title: 'Client',
      width: '12rem',
      cell: ({ client }) => nameLink(routeTo('devices', { item: client }), client),
      sort: ({ client }) => client,
    },
    {
      key: 'outcome',
      title: 'Outcome',
      width: '9.5rem',
      cell: ({ outcome }) => stateBadge(outcome),
      sort: ({ outcome }) => (outcome === 'counted' ? '~' : outcome),
    },
    {
      key: 'seconds',
      title: 'Time',
      width: '13rem',
      number: true,
      cell: (entry) => [
        h(
          'span',
          { class: 'time-bar', 'aria-hidden': 'true' },
          h('span', {
            class: 'train',
            style: { width: `${(100 * Math.min(entry.train_seconds, entry.seconds)) / longest}%` },
          }),
          h('span', {
            class: 'other',
            style: { width: `${(100 * Math.max(0, entry.seconds - entry.train_seconds)) / longest}%` },
          }),
        ),
        duration(entry.seconds),
      ],
      sort: ({ seconds }) => seconds,
    },
    {
      key: 'training',
      title: 'Training',
      width: '7rem',
      number: true,
      // Clients of a secure round report it rounded up to a power of two.
      cell: (entry) =>
        `${value.secure && entry.train_seconds > 0 ? '≤ ' : ''}${duration(entry.train_seconds)}`,
      sort: (entry) => entry.train_seconds,
    },
    {
      key: 'up',
      title: 'Received',
      width: '7rem',
      number: true,
      cell: (entry) => bytes(entry.bytes_up),
      sort: (entry) => entry.bytes_up,
    },
    {
      key: 'down',
      title: 'Sent',
      width: '7rem',
      number: true,
      cell: (entry) => bytes(entry.bytes_down),
      sort: (entry) => entry.bytes_down,
    },
    {
      key: 'examples',
      title: 'Examples',
      width: '8rem',
      number: true,
      cell: ({ examples }) =>
        examples === null
          ? h('span', { class: 'soft', title: 'Hidden by secure aggregation, or not counted' }, 'hidden')
          : count(examples),
      sort: ({ examples }) => examples,
    },
    ...metricNames.map((metric) => {
      const of = (/** @type {Participant} */ entry) =>
        entry.metrics.find((candidate) => candidate.name === metric)?.mean ?? null;
      return {
        key: `metric ${metric}`,
        title: metric,
        width: '7rem',
        number: true,
        cell: (/** @type {Participant} */ entry) => metricValue(metric, of(entry)),
        sort: of,
      };
    }),
    {
      key: 'reason',
      title: 'Reason',
      width: '18rem',
      cell: ({ reason }) => h('span', { class: 'clip', title: visible(reason) }, visible(reason)),
    },
  ];
  let rows = sortRows(value.participants, ({ client }) => client, false);
  rows = sortRows(rows, ({ outcome }) => (outcome === 'counted' ? 1 : 0), false);
  const table = new VirtualTable({
    label: 'Participants',
    columns,
    rowAt: (index) => rows[index] ?? null,
    onSort: (key, descending) => {
      const by = columns.find((column) => column.key === key)?.sort;
      if (by) rows = sortRows(value.participants, by, descending);
      table.update(rows.length);
    },
  });
  context.left.addEventListener('abort', () => table.destroy());
  requestAnimationFrame(() => table.update(rows.length));
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': 'participants' },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', { id: 'participants' }, 'Participants'),
      h('p', { class: 'soft' }, 'Bars: training, then all else'),
    ),
    value.participants.length > 0 ? table.element : empty('Not recorded'),
  );
}

/** @param {Round} value */
function metricsPanel(value) {
  const rows = sources.flatMap(({ source, label }) => {
    if (source === 'held_out') {
      const heldOut = value.held_out;
      return (heldOut?.metrics ?? []).map((metric) => ({
        source: `${label}, model of round ${heldOut?.of_round}`,
        metric: metric.name,
        mean: metric.mean,
        examples: metric.examples,
        spread: spread(metric),
      }));
    }
    return value[source].map((metric) => ({
      source: label,
      metric: metric.name,
      mean: metric.mean,
      examples: metric.count,
      spread: '',
    }));
  });
  if (rows.length === 0) return null;
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': 'metrics' },
    h('h2', { id: 'metrics' }, 'Metrics'),
    plainTable({
      label: 'Metrics',
      columns: [
        { title: 'Metric', cell: ({ metric }) => name(metric) },
        { title: 'Measured on', cell: ({ source }) => source },
        { title: 'Mean', number: true, cell: ({ metric, mean }) => metricValue(metric, mean) },
        { title: 'Examples', number: true, cell: ({ examples }) => count(examples) },
        { title: 'Worst client; quartiles; mean; worst tenth of clients', cell: (row) => row.spread },
      ],
      rows,
    }),
  );
}

/** @param {import('../types.js').HeldOutMetric} metric */
function spread({ name: metric, worst, quartiles, mean_of_clients: mean, worst_tenth: tenth }) {
  const interval = (/** @type {[number | null, number | null]} */ [low, high]) =>
    low === high ? metricValue(metric, low) : `${metricValue(metric, low)} to ${metricValue(metric, high)}`;
  return [
    worst && interval(worst),
    quartiles && quartiles.map(interval).join(', '),
    mean && interval(mean),
    tenth && interval(tenth),
  ]
    .filter(Boolean)
    .join('; ');
}

/** @param {import('../types.js').LayerNorm[]} layers */
function layersPanel(layers) {
  const most = Math.max(1e-30, ...layers.map(({ norm }) => norm ?? 0));
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': 'layers' },
    h('h2', { id: 'layers' }, 'Norm of the update, by layer'),
    plainTable({
      label: 'Norm of the update, by layer',
      columns: [
        { title: 'Layer', cell: (layer) => name(layer.name) },
        { title: 'Norm', number: true, cell: (layer) => decimal(layer.norm) },
        {
          title: 'Relative',
          cell: (layer) =>
            h(
              'span',
              { class: 'share-bar', 'aria-hidden': 'true' },
              h('span', { style: { width: `${(100 * (layer.norm ?? 0)) / most}%` } }),
            ),
        },
      ],
      rows: layers,
    }),
  );
}

/** @param {ViewContext} context @param {string} run @param {Round} value */
function modelPanel(context, run, value) {
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': 'model' },
    h('h2', { id: 'model' }, 'Model after this round'),
    facts([
      ['Digest', h('code', { title: value.model }, short(value.model))],
      ['Started', dateTime(value.started_at)],
    ]),
    value.model_kept
      ? downloadButton(run, value.round)
      : h('p', { class: 'soft' }, 'The values are no longer kept: [store] keep says which are.'),
  );
}

/** @param {string} run @param {number} number */
export function downloadButton(run, number) {
  const save = async () => {
    try {
      const url = URL.createObjectURL(await api.modelValues(run, number));
      h('a', { href: url, download: `${run}-${number}.f32` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      openDialog({
        title: 'The model could not be downloaded',
        content: [h('p', {}, visible(text))],
        confirm: 'Try again',
        act: save,
      });
    }
  };
  return h(
    'button',
    { class: 'button', type: 'button', on: { click: save } },
    icon('down'),
    'Download the values (float32)',
  );
}
