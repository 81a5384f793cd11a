// A line of the size of a word, without axes. The text next to it has the numbers.
import { svg } from '../components/dom.js';
import { isNumber } from '../format.js';

const width = 120;
const height = 32;

/** @param {(number | null)[]} values @param {string} label */
export function sparkline(values, label) {
  const known = values.filter(isNumber);
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const step = width / Math.max(1, values.length - 1);
  const points = values.flatMap((value, index) =>
    isNumber(value)
      ? [`${(index * step).toFixed(1)},${(height - 3 - ((value - low) / span) * (height - 6)).toFixed(1)}`]
      : [],
  );
  return svg(
    'svg',
    {
      class: 'sparkline',
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': label,
    },
    svg('polyline', { points: points.join(' ') }),
  );
}
