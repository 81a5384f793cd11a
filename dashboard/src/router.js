// The view that the fragment of the address names: #/rounds/17?run=RUN. It survives a reload.

/**
 * @typedef {'overview' | 'rounds' | 'devices' | 'model' | 'privacy' | 'configuration' | 'log' | 'runs'} ViewName
 * @typedef {object} Route
 * @property {ViewName | 'unknown'} view
 * @property {string} item  of "rounds": the number; of "devices": the name; else ""
 * @property {string | null} run  null: the current run, or else the newest
 * @property {URLSearchParams} parameters  others, for example a filter
 */

/** @type {{ view: ViewName, title: string, ofRun: boolean }[]} */
export const views = [
  { view: 'overview', title: 'Overview', ofRun: true },
  { view: 'rounds', title: 'Rounds', ofRun: true },
  { view: 'devices', title: 'Devices', ofRun: false },
  { view: 'model', title: 'Model', ofRun: true },
  { view: 'privacy', title: 'Privacy', ofRun: true },
  { view: 'configuration', title: 'Configuration', ofRun: true },
  { view: 'log', title: 'Log', ofRun: false },
  { view: 'runs', title: 'Runs', ofRun: false },
];

/** @param {string} fragment @returns {Route} */
export function parseRoute(fragment) {
  const text = fragment.replace(/^#/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  const parameters = new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1));
  const run = parameters.get('run');
  parameters.delete('run');
  const [name = '', item = '', ...more] = path.split('/').filter(Boolean).map(decode);
  const known = views.find(({ view }) => view === (name || 'overview'));
  const takesItem = name === 'rounds' || name === 'devices';
  const valid =
    known &&
    more.length === 0 &&
    (item === '' || takesItem) &&
    (name !== 'rounds' || /^\d{0,15}$/.test(item));
  return { view: valid ? known.view : 'unknown', item, run: run || null, parameters };
}

/**
 * @param {ViewName} view
 * @param {{ item?: string | number, run?: string | null, parameters?: Record<string, string> }} [options]
 */
export function routeTo(view, { item, run, parameters } = {}) {
  const query = new URLSearchParams(parameters);
  if (run) query.set('run', run);
  const text = query.toString();
  return `#/${view}${item === undefined ? '' : `/${encodeURIComponent(item)}`}${text ? `?${text}` : ''}`;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
