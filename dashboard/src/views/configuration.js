// The configuration of a run, each version of it, and what changed between two.
import { api } from '../api.js';
import { fill, h } from '../components/dom.js';
import { empty, labelled } from '../components/text.js';
import { count, plural, visible } from '../format.js';
import { diffLines } from '../diff.js';
import { heading, load } from './view.js';

/** @import { ConfigurationVersion } from '../types.js' */

/** @type {import('./view.js').View} */
export function configuration(context) {
  const page = h('div', { class: 'view' });
  const place = h('div', { class: 'sections' });
  const { run } = context;
  fill(page, heading('Configuration'), place);
  if (!run) fill(place, empty('No run yet', 'Its configuration appears here.'));
  else load(context, place, (signal) => api.configuration(run, signal), draw);
  return page;
}

/** @param {ConfigurationVersion} version */
const label = ({ after }) => (after === 0 ? 'from the beginning' : `after round ${count(after)}`);

/** @param {ConfigurationVersion[]} versions */
function draw(versions) {
  const newest = versions.at(-1);
  if (!newest) return [empty('No configuration is recorded')];
  const text = h('div');
  const option = (/** @type {ConfigurationVersion} */ version, /** @type {number} */ index) =>
    h('option', { value: String(index), selected: version === newest }, label(version));
  const shown = h('select', { id: 'version' }, versions.map(option));
  const against = h(
    'select',
    { id: 'against' },
    h('option', { value: '' }, 'nothing'),
    versions.map((version, index) =>
      h('option', { value: String(index), selected: index === versions.length - 2 }, label(version)),
    ),
  );
  const update = () => {
    const version = versions[Number(shown.value)] ?? newest;
    const base = against.value === '' ? undefined : versions[Number(against.value)];
    fill(text, base && base !== version ? difference(base, version) : plain(version));
  };
  shown.addEventListener('change', update);
  against.addEventListener('change', update);
  update();
  return [
    h(
      'div',
      { class: 'tools' },
      labelled('Version', shown),
      versions.length > 1 && labelled('compared with', against),
      h(
        'span',
        { class: 'soft' },
        versions.length > 1 ? plural(versions.length, 'version') : 'It did not change during the run.',
      ),
    ),
    text,
  ];
}

/** @param {ConfigurationVersion} version */
function plain({ text }) {
  const lines = text.replace(/\n$/, '').split('\n');
  return h(
    'pre',
    { class: 'source', tabindex: '0', 'aria-label': 'Configuration' },
    lines.map((line) => h('span', { class: kind(line) }, visible(line.replaceAll('\t', '    ')))),
  );
}

/** @param {string} line */
function kind(line) {
  if (/^\s*#/.test(line)) return 'comment';
  return /^\s*\[/.test(line) ? 'section' : '';
}

const around = 3; // unchanged lines that are shown before and after a change

/** @param {ConfigurationVersion} base @param {ConfigurationVersion} version */
function difference(base, version) {
  const lines = diffLines(base.text, version.text);
  const changed = lines.map(({ kind }) => kind !== 'same');
  const near = lines.map((_, index) =>
    changed.slice(Math.max(0, index - around), index + around + 1).some(Boolean),
  );
  const added = lines.filter(({ kind }) => kind === 'added').length;
  const removed = lines.filter(({ kind }) => kind === 'removed').length;
  if (added + removed === 0) return [h('p', {}, 'Both versions are equal.'), plain(version)];
  /** @type {HTMLElement[]} */
  const shown = [];
  let left = 0;
  const gap = () => {
    if (left > 0) shown.push(h('span', { class: 'gap' }, `… ${plural(left, 'unchanged line')}`));
    left = 0;
  };
  lines.forEach(({ kind: type, text }, index) => {
    if (!near[index]) {
      left++;
      return;
    }
    gap();
    const mark = type === 'added' ? '+' : type === 'removed' ? '−' : ' ';
    const spoken = type === 'same' ? null : h('span', { class: 'visually-hidden' }, `${type}: `);
    shown.push(h('span', { class: type }, spoken, `${mark} `, visible(text.replaceAll('\t', '    '))));
  });
  gap();
  return [
    h('p', {}, `${plural(added, 'line')} added, ${count(removed)} removed.`),
    h('pre', { class: 'source diff', tabindex: '0', 'aria-label': 'Differences' }, shown),
  ];
}
