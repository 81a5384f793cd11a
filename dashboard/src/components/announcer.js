// Says what has changed to readers who do not see it: rarely, so that it does not talk over everything else.
import { h } from './dom.js';

const pause = 10_000;

const region = h('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
let last = 0;
let waiting = '';
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

export const announcer = region;

/** Of several texts within ten seconds, the last one is said. @param {string} text */
export function announce(text) {
  waiting = text;
  if (timer !== undefined) return;
  timer = setTimeout(
    () => {
      timer = undefined;
      last = Date.now();
      region.textContent = waiting;
    },
    Math.max(0, last + pause - Date.now()),
  );
}
