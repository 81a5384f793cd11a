// Lines over rounds (uPlot), with a legend that shows the values under the pointer, a sentence that says the same as the
// picture, and the numbers as a table on demand.
import uPlot from '../../vendor/uplot/uPlot.esm.js';
import { cssColor, fill, h, setText, svg } from '../components/dom.js';
import { plainTable } from '../components/plain_table.js';
import { count, decimal } from '../format.js';
import { lineColors, lineDashes } from './palette.js';

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {string} [explanation]
 * @property {(number | null)[]} values  one for each x
 * @typedef {{ x: number[], lines: Line[], summary: string }} LineData
 */

/** @type {Set<LineChart>} */
const charts = new Set();
const redrawAll = () => charts.forEach((chart) => chart.redraw());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll);
new MutationObserver(redrawAll).observe(document.documentElement, { attributeFilter: ['data-theme'] });

const tableRowsMax = 200;

export class LineChart {
  #title;
  #xTitle;
  #xText;
  #text;
  #height;
  /** @type {uPlot | null} */
  #plot = null;
  /** @type {LineData} */
  #data = { x: [], lines: [], summary: '' };
  #shape = '';
  #canvas = h('div', { class: 'chart-canvas', role: 'img' });
  #legend = h('ul', { class: 'legend' });
  /** @type {HTMLElement[]} */
  #values = [];
  #at = h('span', { class: 'legend-at' });
  #summary = h('p', { class: 'chart-summary' });
  #table = h('div');
  #details;
  #observer;

  /**
   * @param {object} options
   * @param {string} options.title
   * @param {(value: number | null) => string} [options.text]  a value as text
   * @param {string} [options.xTitle]
   * @param {(value: number) => string} [options.xText]
   * @param {number} [options.height]
   * @param {2 | 3} [options.level]  of its heading
   */
  constructor({ title, text = decimal, xTitle = 'round', xText = count, height = 190, level = 2 }) {
    this.#title = title;
    this.#text = text;
    this.#xTitle = xTitle;
    this.#xText = xText;
    this.#height = height;
    this.#details = h('details', { class: 'chart-data' }, h('summary', {}, 'Data table'), this.#table);
    this.#details.addEventListener('toggle', () => this.#drawTable());
    this.element = h(
      'figure',
      { class: 'chart' },
      h('figcaption', {}, h(level === 2 ? 'h2' : 'h3', {}, title), this.#summary),
      this.#legend,
      this.#canvas,
      this.#details,
    );
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(this.#canvas);
    charts.add(this);
  }

  destroy() {
    charts.delete(this);
    this.#observer.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** Draws all again, with the colours of the theme. */
  redraw() {
    this.#shape = '';
    this.update(this.#data);
  }

  /** @param {LineData} data */
  update(data) {
    this.#data = data;
    setText(this.#summary, data.summary);
    this.#canvas.setAttribute('aria-label', `Chart: ${this.#title}. ${data.summary}`);
    const shape = data.lines.map(({ label }) => label).join('\n');
    const columns = /** @type {import('../../vendor/uplot/uPlot.esm.js').AlignedData} */ ([
      data.x,
      ...data.lines.map(({ values }) => values),
    ]);
    if (this.#plot && shape === this.#shape) {
      this.#plot.setData(columns);
    } else {
      this.#shape = shape;
      this.#plot?.destroy();
      this.#plot = this.#canvas.clientWidth > 0 ? new uPlot(this.#options(), columns, this.#canvas) : null;
      this.#drawLegend();
    }
    this.#showValues(data.x.length - 1);
    if (this.#details.open) this.#drawTable();
  }

  #resize() {
    const width = this.#canvas.clientWidth;
    if (width === 0) return;
    if (this.#plot) {
      if (this.#plot.width !== width) this.#plot.setSize({ width, height: this.#height });
    } else if (this.#data.x.length > 0) {
      this.redraw();
    }
  }

  #options() {
    const color = (/** @type {string} */ name) => cssColor(this.element, name);
    const font = `12px ${cssColor(this.element, '--font') || 'sans-serif'}`;
    const axis = {
      stroke: color('--text-soft'),
      font,
      grid: { stroke: color('--grid'), width: 1 },
      ticks: { stroke: color('--grid'), width: 1 },
    };
    const few = this.#data.x.length <= 30;
    return {
      width: this.#canvas.clientWidth,
      height: this.#height,
      legend: { show: false },
      padding: /** @type {[number, number, number, number]} */ ([8, 12, 0, 0]),
      scales: { x: { time: false } },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      axes: [
        {
          ...axis,
          size: 34,
          values: (/** @type {unknown} */ _, /** @type {number[]} */ ticks) =>
            ticks.map((tick) => (this.#xText === count && tick % 1 !== 0 ? '' : this.#xText(tick))),
        },
        {
          ...axis,
          size: 62,
          values: (/** @type {unknown} */ _, /** @type {number[]} */ ticks) =>
            ticks.map((tick) => (this.#text === count && tick % 1 !== 0 ? '' : this.#text(tick))),
        },
      ],
      series: [
        {},
        ...this.#data.lines.map((_, index) => {
          const stroke = color(lineColors[index % lineColors.length] ?? '');
          const dash = lineDashes[index % lineDashes.length];
          return {
            stroke,
            width: 2,
            ...(dash ? { dash } : {}),
            spanGaps: true,
            points: { show: few, size: 5, fill: stroke },
          };
        }),
      ],
      hooks: {
        setCursor: [
          (/** @type {uPlot} */ plot) => this.#showValues(plot.cursor.idx ?? this.#data.x.length - 1),
        ],
      },
    };
  }

  #drawLegend() {
    this.#values = this.#data.lines.map(() => h('span', { class: 'legend-value' }));
    const entries = this.#data.lines.map(({ label, explanation }, index) => {
      const stroke = `var(${lineColors[index % lineColors.length]})`;
      const dash = lineDashes[index % lineDashes.length]?.join(' ');
      const sample = svg(
        'svg',
        { class: 'legend-line', viewBox: '0 0 28 8', 'aria-hidden': 'true' },
        svg('line', { x1: 0, y1: 4, x2: 28, y2: 4, style: { stroke }, 'stroke-dasharray': dash }),
      );
      return h('li', { title: explanation }, sample, h('span', {}, label), this.#values[index]);
    });
    fill(this.#legend, entries, h('li', { class: 'legend-x' }, this.#at));
  }

  /** @param {number} index */
  #showValues(index) {
    const x = this.#data.x[index];
    setText(this.#at, x === undefined ? '' : `${this.#xTitle} ${this.#xText(x)}`);
    this.#data.lines.forEach(({ values }, line) => {
      const node = this.#values[line];
      // A line without a value at this x shows its last one before it.
      let place = index;
      while (place > 0 && (values[place] ?? null) === null) place--;
      if (node) setText(node, this.#text(values[place] ?? null));
    });
  }

  #drawTable() {
    if (!this.#details.open) return;
    const { x, lines } = this.#data;
    const step = Math.max(1, Math.ceil(x.length / tableRowsMax));
    const rows = x.map((_, index) => index).filter((index) => index % step === 0 || index === x.length - 1);
    fill(
      this.#table,
      plainTable({
        label: `${this.#title}, data`,
        columns: [
          { title: this.#xTitle, number: true, cell: (index) => this.#xText(x[index] ?? 0) },
          ...lines.map(({ label, values }) => ({
            title: label,
            number: true,
            cell: (/** @type {number} */ index) => this.#text(values[index] ?? null),
          })),
        ],
        rows,
      }),
    );
  }
}
