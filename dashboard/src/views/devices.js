// Every device of the register: state, last seen, data, speeds, contribution.
import { api } from '../api.js';
import { badge, stateBadge } from '../components/badge.js';
import { fill, h, setText } from '../components/dom.js';
import { empty, labelled, nameLink } from '../components/text.js';
import { sortRows, VirtualTable } from '../components/virtual_table.js';
import { ago, bytes, count, dateTime, duration, plural, visible } from '../format.js';
import { routeTo } from '../router.js';
import { inviteButton } from './actions.js';
import { heading, load, throttle } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { Device } from '../types.js' */

/** @param {Device} device */
const contribution = ({ counted, lost }) => (counted + lost > 0 ? counted / (counted + lost) : null);

/** @type {import('../components/virtual_table.js').Column<Device>[]} */
const columns = [
  {
    key: 'name',
    title: 'Device',
    width: 'min(13rem, 33vw)',
    sort: (device) => device.name,
    cell: (device) => nameLink(routeTo('devices', { item: device.name }), device.name),
  },
  {
    key: 'state',
    title: 'State',
    width: '9rem',
    sort: (device) => device.state,
    cell: (device) => stateBadge(device.state),
  },
  {
    key: 'connected',
    title: 'Connected',
    width: '8.5rem',
    sort: (device) => (device.connected === null ? null : Number(device.connected)),
    cell: (device) => connection(device),
  },
  {
    key: 'seen',
    title: 'Last seen',
    width: '7.5rem',
    sort: (device) => device.last_seen,
    cell: (device) =>
      h(
        'time',
        { datetime: device.last_seen ?? undefined, title: dateTime(device.last_seen) },
        ago(device.last_seen, Date.now()),
      ),
  },
  {
    key: 'contribution',
    title: 'Rounds counted',
    width: '11.5rem',
    number: true,
    sort: contribution,
    cell: (device) => {
      const fraction = contribution(device);
      return fraction === null
        ? '–'
        : [
            h(
              'span',
              { class: 'share-bar', 'aria-hidden': 'true' },
              h('span', { style: { width: `${100 * fraction}%` } }),
            ),
            `${count(device.counted)} of ${count(device.counted + device.lost)}`,
          ];
    },
  },
  {
    key: 'lost',
    title: 'Lost',
    width: '5rem',
    number: true,
    sort: (device) => device.lost,
    cell: (device) => count(device.lost),
  },
  {
    key: 'why',
    title: 'Last lost because',
    width: '15rem',
    sort: (device) => device.lost_why || null,
    cell: (device) => h('span', { class: 'clip', title: visible(device.lost_why) }, visible(device.lost_why)),
  },
  {
    key: 'examples',
    title: 'Examples',
    width: '8rem',
    number: true,
    sort: (device) => device.examples,
    cell: (device) => count(device.examples),
  },
  {
    key: 'new',
    title: 'New',
    width: '6rem',
    number: true,
    sort: (device) => device.new_examples,
    cell: (device) => (device.new_examples ? `+${count(device.new_examples)}` : count(device.new_examples)),
  },
  {
    key: 'train',
    title: 'Training speed',
    width: '9rem',
    number: true,
    sort: (device) => device.train_examples_per_s,
    cell: (device) =>
      device.train_examples_per_s === null ? '–' : `${count(device.train_examples_per_s)} ex/s`,
  },
  {
    key: 'upload',
    title: 'Upload speed',
    width: '8.5rem',
    number: true,
    sort: (device) => device.upload_bytes_per_s,
    cell: (device) => (device.upload_bytes_per_s === null ? '–' : `${bytes(device.upload_bytes_per_s)}/s`),
  },
  {
    key: 'received',
    title: 'Received',
    width: '7rem',
    number: true,
    sort: (device) => device.bytes_up,
    cell: (device) => bytes(device.bytes_up),
  },
  {
    key: 'faults',
    title: 'Faults',
    width: '6rem',
    number: true,
    sort: (device) => device.reliability.faults,
    cell: (device) =>
      device.reliability.rests_seconds > 0
        ? `${count(device.reliability.faults)}, rests ${duration(device.reliability.rests_seconds)}`
        : count(device.reliability.faults),
  },
  {
    key: 'software',
    title: 'Version',
    width: '8rem',
    sort: (device) => device.software || null,
    cell: (device) => h('span', { class: 'clip' }, visible(device.software) || '–'),
  },
  {
    key: 'label',
    title: 'Label',
    width: '10rem',
    sort: (device) => device.label || null,
    cell: (device) => h('span', { class: 'clip', title: visible(device.label) }, visible(device.label)),
  },
];

/** @param {Device} device */
export function connection({ connected }) {
  if (connected === null) return h('span', { class: 'soft' }, 'not known');
  return connected ? badge('good', 'check', 'yes') : badge('bad', 'unplugged', 'no');
}

/** @type {import('./view.js').View} */
export function devices(context) {
  const page = h('div', { class: 'view fills' });
  const place = h('div', { class: 'fills' });
  const tools = h('div');
  const drawTools = () => fill(tools, inviteButton(context));
  drawTools();
  context.on('federation', drawTools);
  fill(page, heading('Devices', tools), place);
  if (context.store.federation && !context.store.federation.devices) {
    fill(
      place,
      empty(
        'There is no register of devices',
        'This server watches folders of runs only. The aggregator of a federation keeps a register: start it with ',
        h('code', {}, 'hansa-aggregator'),
        ', and see docs/enrolment.md.',
      ),
    );
    return page;
  }
  load(context, place, api.devices, (list) => draw(context, list, place));
  return page;
}

/** @param {ViewContext} context @param {Device[]} list @param {HTMLElement} place */
function draw(context, list, place) {
  let all = list;
  /** @type {Device[]} */
  let shown = [];
  const { parameters } = context.route;
  let sorted = { key: parameters.get('sort') ?? 'name', descending: parameters.get('order') === 'down' };

  const search = h('input', {
    id: 'device-search',
    type: 'search',
    value: parameters.get('find') ?? '',
    placeholder: 'name, label or version',
    autocomplete: 'off',
  });
  const only = h('select', { id: 'device-state' });
  const shownText = h('span', { class: 'soft', role: 'status' });
  const table = new VirtualTable({
    label: 'Devices',
    columns,
    rowAt: (index) => shown[index] ?? null,
    sorted,
    onSort: (key, descending) => {
      sorted = { key, descending };
      update();
    },
  });
  context.left.addEventListener('abort', () => table.destroy());

  const drawChoices = () => {
    const states = [...new Set(all.map(({ state }) => state))].sort();
    const chosen = only.value || (parameters.get('state') ?? '');
    const option = (/** @type {string} */ value, /** @type {string} */ text, /** @type {number} */ number) =>
      h('option', { value, selected: value === chosen }, `${text} (${count(number)})`);
    fill(
      only,
      option('', 'all', all.length),
      all.some(({ connected }) => connected === false) &&
        option('disconnected', 'not connected', all.filter(({ connected }) => connected === false).length),
      all.some(({ lost }) => lost > 0) &&
        option('lost', 'lost in some round', all.filter(({ lost }) => lost > 0).length),
      states.map((state) => option(state, state, all.filter((device) => device.state === state).length)),
    );
  };

  const update = () => {
    const text = search.value.trim().toLowerCase();
    const state = only.value;
    const matching = all.filter((device) => matches(device, text, state));
    const by = columns.find(({ key }) => key === sorted.key)?.sort;
    shown = by ? sortRows(matching, by, sorted.descending) : matching;
    table.update(shown.length);
    setText(
      shownText,
      shown.length === all.length
        ? plural(all.length, 'device')
        : `${count(shown.length)} of ${plural(all.length, 'device')}`,
    );
    context.replace(
      routeTo('devices', {
        run: context.route.run,
        parameters: {
          ...(text ? { find: text } : {}),
          ...(state ? { state } : {}),
          ...(sorted.key !== 'name' || sorted.descending
            ? { sort: sorted.key, order: sorted.descending ? 'down' : 'up' }
            : {}),
        },
      }),
    );
  };

  search.addEventListener('input', update);
  only.addEventListener('change', update);
  const refresh = throttle(async () => {
    all = await api.devices(context.left).catch(() => all);
    if (context.left.aborted) return;
    if (all.length > 0 && !place.contains(table.element)) fill(place, content());
    drawChoices();
    update();
  }, 1000);
  context.on('devices', refresh);

  const content = () => [
    h('div', { class: 'tools' }, labelled('Find', search), labelled('Show', only), shownText),
    table.element,
  ];
  if (all.length === 0)
    return [
      empty(
        'No device yet',
        'Invite one: it appears here when it asks to join. ',
        h('code', {}, 'hansa invite --help'),
      ),
    ];
  drawChoices();
  requestAnimationFrame(update);
  return content();
}

/** @param {Device} device @param {string} text @param {string} state */
function matches(device, text, state) {
  const found =
    text === '' ||
    [device.name, device.label, device.software].some((value) => value.toLowerCase().includes(text));
  if (!found) return false;
  if (state === '') return true;
  if (state === 'disconnected') return device.connected === false;
  if (state === 'lost') return device.lost > 0;
  return device.state === state;
}
