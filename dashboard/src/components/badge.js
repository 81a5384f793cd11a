// A state as a picture, a word and a colour.
import { outcomeText } from '../format.js';
import { h } from './dom.js';
import { icon } from './icon.js';

/** @import { IconName } from './icon.js' */

/** @typedef {'good' | 'info' | 'calm' | 'warn' | 'bad'} Tone */

/** @param {Tone} tone @param {IconName} picture @param {string} text */
export function badge(tone, picture, text) {
  return h('span', { class: `badge ${tone}` }, icon(picture), text);
}

/** @type {Record<string, [Tone, IconName, string?]>} */
const states = {
  // outcomes, and states of a client in a round
  counted: ['good', 'check'],
  no_answer: ['bad', 'clock'],
  disconnected: ['bad', 'unplugged'],
  declined: ['warn', 'minus'],
  rejected: ['bad', 'cross'],
  late: ['warn', 'clock'],
  waits: ['calm', 'pause'],
  trains: ['info', 'gear'],
  uploads: ['info', 'up'],
  verifying: ['info', 'eye', 'being verified'],
  absent: ['bad', 'unplugged', 'disconnected'],
  left: ['warn', 'minus', 'left'],
  left_out: ['calm', 'pause', 'left out'],
  // devices
  pending: ['info', 'clock'],
  certified: ['info', 'lock'],
  admitted: ['good', 'check'],
  quarantined: ['warn', 'pause'],
  revoked: ['bad', 'cross'],
  denied: ['bad', 'minus'],
  removed: ['calm', 'minus'],
  // runs
  running: ['info', 'play'],
  finished: ['good', 'check'],
  stopped: ['calm', 'stop'],
  'not begun': ['calm', 'clock'],
  unreadable: ['bad', 'warning'],
  // levels of the log
  debug: ['calm', 'minus'],
  info: ['info', 'level'],
  warning: ['warn', 'warning'],
  error: ['bad', 'cross'],
};

/** @param {string} state @param {string} [text] */
export function stateBadge(state, text) {
  const [tone, picture, word] = states[state] ?? ['calm', 'minus'];
  return badge(tone, picture, text ?? word ?? outcomeText(state));
}

/** @param {string} state @returns {Tone} */
export function toneOf(state) {
  return states[state]?.[0] ?? 'calm';
}

/** @param {string} state @returns {string} */
export function wordOf(state) {
  return states[state]?.[2] ?? outcomeText(state);
}

/** @param {string} state @returns {IconName} */
export function pictureOf(state) {
  return states[state]?.[1] ?? 'minus';
}
