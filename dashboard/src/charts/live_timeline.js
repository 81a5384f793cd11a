// The current round: a row for each client, with what it did when. Drawn again for each live state, row by row.
import { pictureOf, toneOf, wordOf } from '../components/badge.js';
import { fill, h, setText } from '../components/dom.js';
import { icon } from '../components/icon.js';
import { nameLink } from '../components/text.js';
import { compareNames, duration, percent } from '../format.js';
import { activities, tally } from '../live_rounds.js';
import { routeTo } from '../router.js';

/** @import { Activity, Track } from '../live_rounds.js' */

// With more clients, those are shown first that need attention.
const rowsMax = 60;

/** @type {Activity[]} */
const attention = [
  'absent',
  'rejected',
  'declined',
  'left',
  'uploads',
  'verifying',
  'trains',
  'waits',
  'counted',
];

/** @typedef {{ element: HTMLElement, bar: HTMLElement, state: HTMLElement, shown: string, segments: HTMLElement[] }} Row */

export class LiveTimeline {
  #counts = h('ul', { class: 'tally' });
  #list = h('ol', { class: 'tracks' });
  #more = h('p', { class: 'chart-summary' });
  #axis = h('div', { class: 'track-axis', 'aria-hidden': 'true' });
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #masked;
  #shownCounts = '';
  element = h('div', { class: 'timeline' }, this.#counts, this.#axis, this.#list, this.#more);

  /** @param {{ masked: boolean }} options  masked: secure aggregation, so that a counted update is a masked one */
  constructor({ masked }) {
    this.#masked = masked;
  }

  /** @param {Track[]} tracks @param {number} elapsed @param {number | null} median  seconds of a round */
  update(tracks, elapsed, median) {
    this.#drawCounts(tracks);
    const span = Math.max(elapsed, 1.15 * (median ?? 0), 1);
    this.#drawAxis(span, elapsed, median);
    const many = tracks.length > rowsMax;
    const order = (/** @type {Track} */ track) => (many ? attention.indexOf(track.activity) : 0);
    const shown = [...tracks]
      .sort((a, b) => order(a) - order(b) || compareNames(a.client, b.client))
      .slice(0, rowsMax);
    const names = new Set(shown.map(({ client }) => client));
    for (const [client, row] of this.#rows) {
      if (names.has(client)) continue;
      row.element.remove();
      this.#rows.delete(client);
    }
    /** @type {HTMLElement | null} */
    let before = null;
    for (const track of shown) {
      const row = this.#rows.get(track.client) ?? this.#newRow(track.client);
      this.#drawRow(row, track, span);
      /** @type {Node | null} */
      const place = before ? before.nextSibling : this.#list.firstChild;
      if (place !== row.element) this.#list.insertBefore(row.element, place);
      before = row.element;
    }
    setText(
      this.#more,
      many ? `${tracks.length - rowsMax} more clients; those that need attention are shown first.` : '',
    );
  }

  /** @param {Activity} activity */
  #word(activity) {
    return this.#masked && activity === 'counted' ? 'masked and counted' : wordOf(activity);
  }

  /** @param {Track[]} tracks */
  #drawCounts(tracks) {
    const counts = tally(tracks);
    const key = JSON.stringify(counts);
    if (key === this.#shownCounts) return;
    this.#shownCounts = key;
    fill(
      this.#counts,
      counts.map(({ activity, clients }) =>
        h(
          'li',
          { class: toneOf(activity) },
          icon(pictureOf(activity)),
          h('strong', {}, clients),
          ` ${this.#word(activity)}`,
        ),
      ),
    );
  }

  /** @param {number} span @param {number} elapsed @param {number | null} median */
  #drawAxis(span, elapsed, median) {
    const at = (/** @type {number} */ seconds) => ({
      left: `${Math.min(100, (100 * seconds) / span).toFixed(2)}%`,
    });
    fill(
      this.#axis,
      h('span', { class: 'axis-now', style: at(elapsed) }, duration(elapsed)),
      median !== null &&
        Math.abs(median - elapsed) > 0.12 * span &&
        h('span', { class: 'axis-median', style: at(median) }, `usual ${duration(median)}`),
    );
  }

  /** @param {string} client @returns {Row} */
  #newRow(client) {
    const bar = h('div', { class: 'track-bar', 'aria-hidden': 'true' });
    const state = h('span', { class: 'track-state' });
    const element = h(
      'li',
      {},
      h('span', { class: 'track-name' }, nameLink(routeTo('devices', { item: client }), client)),
      bar,
      state,
    );
    const row = { element, bar, state, shown: '', segments: [] };
    this.#rows.set(client, row);
    return row;
  }

  /** @param {Row} row @param {Track} track @param {number} span */
  #drawRow(row, track, span) {
    while (row.segments.length > track.segments.length) row.segments.pop()?.remove();
    track.segments.forEach((segment, index) => {
      let node = row.segments[index];
      if (!node) {
        node = h('span');
        row.segments.push(node);
        row.bar.append(node);
      }
      const last = index === track.segments.length - 1;
      const type = `segment ${segment.activity}${last ? ' current' : ''}`;
      if (node.className !== type) node.className = type;
      node.style.left = `${((100 * segment.start) / span).toFixed(2)}%`;
      node.style.width = `${((100 * (segment.end - segment.start)) / span).toFixed(2)}%`;
    });
    const upload = track.activity === 'uploads' && track.upload !== null ? ` ${percent(track.upload)}` : '';
    const shown = this.#word(track.activity) + upload;
    if (shown === row.shown) return;
    row.shown = shown;
    row.state.className = `track-state ${toneOf(track.activity)}`;
    fill(row.state, icon(pictureOf(track.activity)), shown);
  }
}

/** What the colours of the bars mean. @param {boolean} masked */
export function timelineKey(masked) {
  return h(
    'ul',
    { class: 'track-key' },
    activities
      .filter((activity) => !['left', 'waits'].includes(activity))
      .map((activity) =>
        h(
          'li',
          {},
          h('span', { class: `segment ${activity}`, 'aria-hidden': 'true' }),
          masked && activity === 'counted' ? 'masked and counted' : wordOf(activity),
        ),
      ),
  );
}
