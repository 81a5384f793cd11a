// The log of the aggregator: live at the end, older records on demand.
import { api, ApiError } from '../api.js';
import { stateBadge } from '../components/badge.js';
import { fill, h, setText } from '../components/dom.js';
import { empty, labelled, nameLink } from '../components/text.js';
import { clock, count, dateTime, plural, visible } from '../format.js';
import { routeTo } from '../router.js';
import { heading, load } from './view.js';

/** @import { ViewContext } from './view.js' */
/** @import { LogLevel, LogRecord } from '../types.js' */

const drawnMax = 1000; // rows in the page; the oldest are dropped while the end is followed
const pageSize = 200;
const levels = /** @type {LogLevel[]} */ (['debug', 'info', 'warning', 'error']);

/** @type {import('./view.js').View} */
export function log(context) {
  const page = h('div', { class: 'view fills' });
  const place = h('div', { class: 'fills' });
  fill(page, heading('Log'), place);
  load(
    context,
    place,
    (signal) => recent(signal),
    ({ records }) => new LogView(context, records).element,
  );
  return page;
}

/** @param {AbortSignal} signal @returns {Promise<{ records: LogRecord[] }>} */
async function recent(signal) {
  try {
    return await api.log({ limit: 500 }, signal);
  } catch (error) {
    // Folders of runs have no log; what comes with the stream is shown all the same.
    if (error instanceof ApiError && error.status === 404) return { records: [] };
    throw error;
  }
}

class LogView {
  /** Records in order. @type {LogRecord[]} */ #records;
  #context;
  #list = h('ol', { class: 'log' });
  #scroller = h('div', {
    class: 'table-scroll log-scroll',
    tabindex: '0',
    role: 'region',
    'aria-label': 'Log records, scrollable',
  });
  #status = h('span', { class: 'soft' });
  #older = h('button', { class: 'button', type: 'button' }, 'Show older records');
  #nothing = h('div');
  #follow = h('input', { type: 'checkbox', id: 'log-follow', checked: true });
  #level = h(
    'select',
    { id: 'log-level' },
    levels.map((level) =>
      h('option', { value: level }, level === 'error' ? 'error only' : `${level} and above`),
    ),
  );
  #client = h('input', { id: 'log-client', type: 'search', class: 'medium-input', autocomplete: 'off' });
  #round = h('input', { id: 'log-round', type: 'number', min: '0', class: 'short' });

  /** @param {ViewContext} context @param {LogRecord[]} records */
  constructor(context, records) {
    this.#context = context;
    this.#records = merge(records, context.store.log);
    const { parameters } = context.route;
    this.#level.value = parameters.get('level') ?? 'info';
    this.#client.value = parameters.get('client') ?? '';
    this.#round.value = parameters.get('round') ?? '';
    for (const input of [this.#level, this.#client, this.#round])
      input.addEventListener('input', () => this.#filterChanged());
    this.#older.addEventListener('click', () => this.#loadOlder());
    this.#follow.addEventListener('change', () => this.#draw());
    this.#scroller.append(h('div', { class: 'log-older' }, this.#older), this.#nothing, this.#list);
    context.on('log', () => this.#arrived());
    this.element = [
      h(
        'div',
        { class: 'tools' },
        labelled('Level', this.#level),
        labelled('Client', this.#client),
        labelled('Round', this.#round),
        labelled('Follow', this.#follow),
        this.#status,
      ),
      this.#scroller,
    ];
    requestAnimationFrame(() => this.#draw());
  }

  /** @param {LogRecord} record */
  #matches(record) {
    const client = this.#client.value.trim().toLowerCase();
    const round = this.#round.value;
    return (
      levels.indexOf(record.level) >= levels.indexOf(/** @type {LogLevel} */ (this.#level.value)) &&
      (client === '' || (record.client ?? '').toLowerCase().includes(client)) &&
      (round === '' || record.round === Number(round))
    );
  }

  #filterChanged() {
    /** @type {Record<string, string>} */
    const parameters = {};
    if (this.#level.value !== 'info') parameters['level'] = this.#level.value;
    if (this.#client.value) parameters['client'] = this.#client.value;
    if (this.#round.value) parameters['round'] = this.#round.value;
    this.#context.replace(routeTo('log', { run: this.#context.route.run, parameters }));
    this.#draw();
  }

  #arrived() {
    const newest = this.#records.at(-1)?.sequence ?? -1;
    const more = this.#context.store.log.filter(({ sequence }) => sequence > newest);
    if (more.length === 0) return;
    this.#records.push(...more);
    if (this.#follow.checked && this.#records.length > 5 * drawnMax)
      this.#records.splice(0, this.#records.length - 5 * drawnMax);
    for (const record of more) if (this.#matches(record)) this.#list.append(row(record));
    if (this.#follow.checked) {
      while (this.#list.childElementCount > drawnMax) this.#list.firstElementChild?.remove();
      this.#toEnd();
    }
    this.#drawStatus();
  }

  #draw() {
    const matching = this.#records.filter((record) => this.#matches(record));
    fill(this.#list, (this.#follow.checked ? matching.slice(-drawnMax) : matching).map(row));
    this.#drawStatus();
    if (this.#follow.checked) this.#toEnd();
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #drawStatus() {
    const shown = this.#list.childElementCount;
    const lost = this.#context.store.logLost;
    setText(
      this.#status,
      plural(shown, 'record') +
        (lost > 0 ? `; ${count(lost)} were not sent, because this page was slow` : ''),
    );
    fill(
      this.#nothing,
      shown === 0 &&
        empty(
          'No record',
          this.#records.length === 0
            ? nothingYet(this.#context.store.federation?.live ?? null)
            : 'None of the loaded records matches.',
        ),
    );
  }

  async #loadOlder() {
    const oldest = this.#records[0]?.sequence;
    this.#older.disabled = true;
    try {
      const { records } = await api.log(
        { ...(oldest === undefined ? {} : { before: oldest }), limit: pageSize },
        this.#context.left,
      );
      this.#follow.checked = false;
      this.#older.hidden = records.length === 0;
      const height = this.#scroller.scrollHeight;
      this.#records = merge(records, this.#records);
      this.#draw();
      // What was seen stays where it was.
      this.#scroller.scrollTop += this.#scroller.scrollHeight - height;
    } catch (error) {
      setText(this.#status, error instanceof Error ? error.message : String(error));
    }
    this.#older.disabled = false;
  }
}

/** @param {LogRecord[]} older @param {LogRecord[]} newer @returns {LogRecord[]} */
function merge(older, newer) {
  const bySequence = new Map([...older, ...newer].map((record) => [record.sequence, record]));
  return [...bySequence.values()].sort((a, b) => a.sequence - b.sequence);
}

/** @param {LogRecord} record */
function row(record) {
  return h(
    'li',
    { class: record.level },
    h('time', { datetime: record.time, title: dateTime(record.time) }, clock(record.time)),
    stateBadge(record.level),
    h('span', { class: 'message' }, visible(record.message)),
    h(
      'span',
      { class: 'log-facts' },
      record.round !== undefined && h('span', {}, `round ${count(record.round)}`),
      record.client !== undefined && nameLink(routeTo('devices', { item: record.client }), record.client),
      h('span', { class: 'soft' }, visible(record.component)),
    ),
  );
}

/** @param {{ run: string } | null} live */
function nothingYet(live) {
  return live
    ? 'Nothing was logged yet.'
    : 'This server watches folders of runs. The log is that of the aggregator, which prints it.';
}
