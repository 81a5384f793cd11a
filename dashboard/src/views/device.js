// One device, and what became of its rounds.
import { api } from '../api.js';
import { stateBadge, toneOf, wordOf } from '../components/badge.js';
import { fill, h } from '../components/dom.js';
import { empty, facts, name, tile } from '../components/text.js';
import { plainTable } from '../components/plain_table.js';
import { ago, bytes, count, dateTime, duration, percent, plural, short, visible } from '../format.js';
import { routeTo } from '../router.js';
import { deviceButtons } from './actions.js';
import { connection } from './devices.js';
import { load, refresh, throttle } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { DeviceDetail, DeviceRound } from '../types.js' */

/** @type {import('./view.js').View} */
export function device(context) {
  const page = h('div', { class: 'view' });
  const place = h('div', { class: 'sections' });
  const client = context.route.item;
  fill(
    page,
    h('p', { class: 'crumbs' }, h('a', { href: routeTo('devices', { run: context.route.run }) }, 'Devices')),
    h('h1', { tabindex: '-1', class: 'long' }, name(client)),
    place,
  );
  if (context.store.federation && !context.store.federation.devices) {
    fill(
      place,
      empty(
        'There is no register of devices',
        'This server watches folders of runs only. A round of the view "Rounds" has what this client did in it.',
      ),
    );
    return page;
  }
  const fetchDevice = (/** @type {AbortSignal} */ signal) => api.device(client, signal);
  const drawDevice = (/** @type {DeviceDetail} */ value) => draw(context, value, () => void again());
  const again = () => refresh(context, place, fetchDevice, drawDevice);
  const soon = throttle(again, 2000);
  for (const topic of /** @type {const} */ (['devices', 'federation', 'series'])) context.on(topic, soon);
  load(context, place, fetchDevice, drawDevice);
  return page;
}

/** @param {ViewContext} context @param {DeviceDetail} value @param {() => void} changed */
function draw(context, value, changed) {
  const all = value.counted + value.lost;
  return [
    h(
      'div',
      { class: 'device-head' },
      stateBadge(value.state),
      value.label && h('span', {}, visible(value.label)),
      h('span', { class: 'button-row' }, deviceButtons(context, value, changed)),
    ),
    h(
      'div',
      { class: 'tiles' },
      tile(
        'Rounds counted',
        count(value.counted),
        all > 0 ? `${percent(value.counted / all)} of ${plural(all, 'round')}` : 'never selected',
      ),
      tile('Lost', count(value.lost), value.lost_why ? `last: ${visible(value.lost_why)}` : ''),
      tile(
        'Examples',
        count(value.examples),
        value.new_examples === null ? '' : `${count(value.new_examples)} new`,
      ),
      tile(
        'Training',
        value.train_examples_per_s === null ? '–' : `${count(value.train_examples_per_s)} ex/s`,
      ),
      tile('Upload', value.upload_bytes_per_s === null ? '–' : `${bytes(value.upload_bytes_per_s)}/s`),
      tile('Received', bytes(value.bytes_up), `sent ${bytes(value.bytes_down)}`),
    ),
    h(
      'section',
      { class: 'panel', 'aria-labelledby': 'device-facts' },
      h('h2', { id: 'device-facts' }, 'Device'),
      facts([
        ['Connected', connection(value)],
        ['Last seen', `${ago(value.last_seen, Date.now())} (${dateTime(value.last_seen)})`],
        ['Version', visible(value.software) || '–'],
        ['Identity key', h('code', { title: value.identity }, short(value.identity))],
        ['Certificate expires', dateTime(value.certificate_expires)],
        ['Faults', count(value.reliability.faults)],
        [
          'Rests for',
          value.reliability.rests_seconds > 0 ? duration(value.reliability.rests_seconds) : 'no time',
        ],
      ]),
    ),
    history(value.history),
  ];
}

/** @param {DeviceRound[]} entries */
function history(entries) {
  const newestFirst = [...entries].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  if (entries.length === 0)
    return h(
      'section',
      { class: 'panel' },
      h('h2', {}, 'History'),
      empty('No round yet', 'This device was not selected so far.'),
    );
  const counted = entries.filter(({ outcome }) => outcome === 'counted').length;
  return h(
    'section',
    { class: 'panel', 'aria-labelledby': 'history' },
    h('h2', { id: 'history' }, 'History'),
    h(
      'p',
      {},
      `The newest ${plural(entries.length, 'round')}: counted in ${count(counted)}, lost in ${count(entries.length - counted)}.`,
    ),
    h(
      'div',
      {
        class: 'strip',
        role: 'img',
        'aria-label': `${counted} of ${entries.length} rounds counted, oldest first`,
      },
      [...newestFirst].reverse().map((entry) =>
        h('span', {
          class: `cell ${toneOf(entry.outcome)}`,
          title: `round ${entry.round}: ${wordOf(entry.outcome)}`,
        }),
      ),
    ),
    plainTable({
      label: 'History of the device, newest first',
      columns: [
        {
          title: 'Round',
          number: true,
          cell: (entry) =>
            h('a', { href: routeTo('rounds', { item: entry.round, run: entry.run }) }, count(entry.round)),
        },
        { title: 'Outcome', cell: (entry) => stateBadge(entry.outcome) },
        { title: 'Duration', number: true, cell: (entry) => duration(entry.seconds) },
        {
          title: 'Examples',
          number: true,
          cell: (entry) => (entry.examples === null ? 'hidden' : count(entry.examples)),
        },
        { title: 'When', cell: (entry) => h('time', { datetime: entry.at }, dateTime(entry.at)) },
        { title: 'Run', cell: (entry) => name(entry.run) },
        { title: 'Reason', cell: (entry) => visible(entry.reason) },
      ],
      rows: newestFirst,
    }),
  );
}
