// Colours of lines: distinct for the common kinds of colour blindness, and told apart by their dashes as well.

/** Custom properties of styles/tokens.css. */
export const lineColors = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6'];

/** @type {(number[] | undefined)[]} */
export const lineDashes = [undefined, [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [1, 5]];

/** Cividis (Nuñez, Anderton, Renslow, 2018), which looks the same to readers with colour blindness; 9 of its colours. */
const cividis = [
  [0, 32, 76],
  [0, 51, 110],
  [57, 72, 107],
  [87, 93, 109],
  [112, 113, 115],
  [138, 134, 120],
  [166, 157, 117],
  [200, 183, 101],
  [255, 233, 69],
];

/** @param {number} fraction  0 to 1 @returns {string} */
export function heatColor(fraction) {
  const place = Math.min(1, Math.max(0, fraction)) * (cividis.length - 1);
  const low = cividis[Math.floor(place)] ?? [0, 0, 0];
  const high = cividis[Math.ceil(place)] ?? low;
  const part = place - Math.floor(place);
  const mix = low.map((value, index) => Math.round(value + part * ((high[index] ?? value) - value)));
  return `rgb(${mix.join(' ')})`;
}
