// A table that draws only the rows that are seen, so that 10,000 rows cost as much as 30. Rows have one height.
import { compareNames } from '../format.js';
import { h } from './dom.js';

/** @import { Child } from './dom.js' */

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {string} width  CSS, for example "9rem"
 * @property {boolean} [number]  aligned to the right
 * @property {(row: Row) => Child | Child[]} cell
 * @property {(row: Row) => number | string | null} [sort]  the value by which rows are sorted; without it, they cannot be
 */

const rowHeight = 41;
const beyond = 8; // rows that are drawn above and below what is seen

/** @template Row */
export class VirtualTable {
  #columns;
  #rowAt;
  #count = 0;
  #first = -1;
  #end = -1;
  #frame = 0;
  /** @type {{ key: string, descending: boolean } | null} */
  #sorted = null;
  #onSort;
  #body = h('tbody');
  #table;
  #headers;
  #observer;

  /**
   * @param {object} options
   * @param {string} options.label  the name of the table
   * @param {Column<Row>[]} options.columns  the first one is the row's header
   * @param {(index: number) => Row | null} options.rowAt  null: not loaded yet
   * @param {(key: string, descending: boolean) => void} [options.onSort]
   * @param {{ key: string, descending: boolean }} [options.sorted]
   */
  constructor({ label, columns, rowAt, onSort, sorted }) {
    this.#columns = columns;
    this.#rowAt = rowAt;
    this.#onSort = onSort;
    this.#sorted = sorted ?? null;
    this.#headers = columns.map((column) => this.#header(column));
    this.#table = h(
      'table',
      { 'aria-label': label, style: { width: `calc(${columns.map(({ width }) => width).join(' + ')})` } },
      h(
        'colgroup',
        {},
        columns.map(({ width }) => h('col', { style: { width } })),
      ),
      h('thead', {}, h('tr', { 'aria-rowindex': '1' }, this.#headers)),
      this.#body,
    );
    this.element = h(
      'div',
      { class: 'table-scroll virtual', tabindex: '0', role: 'region', 'aria-label': `${label}, scrollable` },
      this.#table,
    );
    this.element.addEventListener('scroll', () => this.#soon(), { passive: true });
    this.#observer = new ResizeObserver(() => this.#soon());
    this.#observer.observe(this.element);
    this.#showSort();
  }

  destroy() {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** @param {Column<Row>} column */
  #header(column) {
    const attributes = { scope: 'col', class: column.number ? 'number' : undefined };
    if (!column.sort) return h('th', attributes, column.title);
    const sort = () => {
      const descending = this.#sorted?.key === column.key ? !this.#sorted.descending : Boolean(column.number);
      this.#sorted = { key: column.key, descending };
      this.#showSort();
      this.#onSort?.(column.key, descending);
    };
    return h(
      'th',
      attributes,
      h('button', { class: 'sort', type: 'button', on: { click: sort } }, column.title),
    );
  }

  #showSort() {
    this.#columns.forEach((column, index) => {
      const header = this.#headers[index];
      if (!header || !column.sort) return;
      const direction = this.#sorted?.descending ? 'descending' : 'ascending';
      if (this.#sorted?.key === column.key) header.setAttribute('aria-sort', direction);
      else header.removeAttribute('aria-sort');
    });
  }

  /** The rows have changed. @param {number} count */
  update(count) {
    this.#count = count;
    this.#table.setAttribute('aria-rowcount', String(count + 1));
    this.#first = -1;
    this.#draw();
  }

  /** @param {number} index */
  scrollTo(index) {
    this.element.scrollTop = Math.max(0, index * rowHeight - this.element.clientHeight / 3);
    this.#soon();
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const height = this.element.clientHeight || 600;
    const first = Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - beyond);
    const end = Math.min(this.#count, Math.ceil((this.element.scrollTop + height) / rowHeight) + beyond);
    if (first === this.#first && end === this.#end) return;
    const focused = this.#focusedPlace();
    this.#first = first;
    this.#end = end;
    const rows = [];
    for (let index = first; index < end; index++) rows.push(this.#row(index));
    this.#body.replaceChildren(this.#space(first), ...rows, this.#space(this.#count - end));
    focused?.();
  }

  /** Rows are made again while one of their links has the focus: gives it back. */
  #focusedPlace() {
    const active = document.activeElement;
    const row = active?.closest('tr');
    if (!active || !row || !this.#body.contains(row)) return null;
    const index = row.getAttribute('aria-rowindex');
    const place = [...row.querySelectorAll('a, button')].indexOf(active);
    return () => {
      const again = this.#body.querySelector(`tr[aria-rowindex="${index}"]`)?.querySelectorAll('a, button')[
        place
      ];
      if (again instanceof HTMLElement) again.focus({ preventScroll: true });
    };
  }

  /** @param {number} rows */
  #space(rows) {
    return h('tr', { class: 'space', 'aria-hidden': 'true', style: { height: `${rows * rowHeight}px` } });
  }

  /** @param {number} index */
  #row(index) {
    const row = this.#rowAt(index);
    const cells = this.#columns.map((column, place) => {
      const attributes = {
        class: column.number ? 'number' : undefined,
        ...(place === 0 ? { scope: 'row' } : {}),
      };
      return h(
        place === 0 ? 'th' : 'td',
        attributes,
        row === null ? (place === 0 ? '…' : '') : column.cell(row),
      );
    });
    return h('tr', { 'aria-rowindex': String(index + 2) }, cells);
  }
}

/**
 * Sorted rows; those without a value are last in both directions.
 * @template Row @param {Row[]} rows @param {(row: Row) => number | string | null} by @param {boolean} descending
 */
export function sortRows(rows, by, descending) {
  const factor = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: by(row) }))
    .sort((a, b) => {
      if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
      if (typeof a.value === 'number' && typeof b.value === 'number') return factor * (a.value - b.value);
      return factor * compareNames(String(a.value), String(b.value));
    })
    .map(({ row }) => row);
}
