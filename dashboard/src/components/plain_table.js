// A table of few rows.
import { h } from './dom.js';

/** @import { Child } from './dom.js' */

/**
 * @template Row
 * @param {object} options
 * @param {string} options.label
 * @param {{ title: string, number?: boolean, cell: (row: Row) => Child | Child[] }[]} options.columns  the first one is the row's header
 * @param {Row[]} options.rows
 */
export function plainTable({ label, columns, rows }) {
  return h(
    'div',
    {
      class: `table-scroll${rows.length > 30 ? ' long' : ''}`,
      tabindex: '0',
      role: 'region',
      'aria-label': `${label}, scrollable`,
    },
    h(
      'table',
      { 'aria-label': label },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          columns.map(({ title, number }) =>
            h('th', { scope: 'col', class: number ? 'number' : undefined }, title),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) =>
          h(
            'tr',
            {},
            columns.map(({ cell, number }, place) =>
              place === 0
                ? h('th', { scope: 'row', class: number ? 'number' : undefined }, cell(row))
                : h('td', { class: number ? 'number' : undefined }, cell(row)),
            ),
          ),
        ),
      ),
    ),
  );
}
