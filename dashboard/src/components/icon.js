// Small pictures, so that no state is told by its colour alone.
import { svg } from './dom.js';

const paths = {
  check: 'M3 8.5l3.5 3.5L13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  minus: 'M3 8h10',
  up: 'M8 13V3M4 7l4-4 4 4',
  down: 'M8 3v10M4 9l4 4 4-4',
  level: 'M2 8h12M10 4l4 4-4 4',
  clock: 'M8 4v4l3 2M8 1.5a6.5 6.5 0 1 0 .01 0',
  gear: 'M8 2v3M8 11v3M2 8h3M11 8h3M4 4l2 2M10 10l2 2M12 4l-2 2M6 10l-2 2',
  eye: 'M1.5 8C4 4 12 4 14.5 8 12 12 4 12 1.5 8zM8 6.5a1.5 1.5 0 1 0 .01 0',
  hidden: 'M1.5 8C4 4 12 4 14.5 8 12 12 4 12 1.5 8zM3 14L13 2',
  warning: 'M8 2L15 14H1zM8 6.5v3.5M8 12v.3',
  unplugged: 'M2 8h3M11 8h3M5 5v6M11 5v6M7 7l2 2',
  pause: 'M5 3v10M11 3v10',
  lock: 'M4 7h8v7H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  menu: 'M2 4h12M2 8h12M2 12h12',
  theme: 'M8 2a6 6 0 1 0 .01 0M8 2v12M8 5h3M8 8h5M8 11h3',
  stop: 'M4 4h8v8H4z',
  play: 'M5 3l8 5-8 5z',
  copy: 'M5 5h8v9H5zM3 11V2h8',
};

/** @typedef {keyof typeof paths} IconName */

/** A picture without a name: the text next to it says the same. @param {IconName} name */
export function icon(name) {
  return svg(
    'svg',
    { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: paths[name] }),
  );
}
