// The difference of two texts, line by line: the longest common subsequence.

/** @typedef {{ kind: 'same' | 'removed' | 'added', text: string }} DiffLine */

// The table has (lines + 1) x (lines + 1) entries; beyond this, the middle is shown as removed and added.
const cellsMax = 4_000_000;

/** @param {string} before @param {string} after @returns {DiffLine[]} */
export function diffLines(before, after) {
  const a = before.split('\n');
  const b = after.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return [
    ...a.slice(0, start).map((text) => line('same', text)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map((text) => line('same', text)),
  ];
}

/** @param {DiffLine['kind']} kind @param {string} text @returns {DiffLine} */
const line = (kind, text) => ({ kind, text });

/** @param {string[]} a @param {string[]} b @returns {DiffLine[]} */
function middle(a, b) {
  const width = b.length + 1;
  if ((a.length + 1) * width > cellsMax) {
    return [...a.map((text) => line('removed', text)), ...b.map((text) => line('added', text))];
  }
  const common = new Uint32Array((a.length + 1) * width);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  /** @type {DiffLine[]} */
  const lines = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(line('same', a[i++] ?? ''));
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(line('removed', a[i++] ?? ''));
    } else {
      lines.push(line('added', b[j++] ?? ''));
    }
  }
  return lines;
}
