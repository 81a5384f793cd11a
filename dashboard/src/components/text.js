// Texts that came from elsewhere, and small pieces of prose.
import { visible } from '../format.js';
import { h } from './dom.js';
import { icon } from './icon.js';

/** @import { Child } from './dom.js' */

/** A name that somebody else chose: it cannot turn the text around it, nor look like markup. @param {string} text */
export function name(text) {
  return h('bdi', { class: 'name', title: text.length > 24 ? visible(text) : undefined }, visible(text));
}

/** @param {string} href @param {string} text */
export function nameLink(href, text) {
  return h('a', { href, class: 'name-link' }, name(text));
}

/** @param {[string, Child | Child[]][]} entries */
export function facts(entries) {
  return h(
    'dl',
    { class: 'facts' },
    entries.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))),
  );
}

/** Why there is nothing here, and what would change that. @param {string} title @param {...Child} detail */
export function empty(title, ...detail) {
  return h(
    'div',
    { class: 'empty' },
    h('p', { class: 'empty-title' }, title),
    detail.length > 0 && h('p', {}, ...detail),
  );
}

export function loading() {
  return h('div', { class: 'loading', role: 'status' }, h('span', { class: 'bar' }), 'Loading …');
}

/** @param {unknown} error @param {() => void} [again] */
export function failure(error, again) {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Error && 'hint' in error ? String(error.hint) : '';
  return h(
    'div',
    { class: 'failure', role: 'alert' },
    icon('warning'),
    h(
      'div',
      {},
      h('p', {}, visible(message)),
      hint && h('p', { class: 'hint' }, visible(hint)),
      again && h('button', { class: 'button', type: 'button', on: { click: again } }, 'Try again'),
    ),
  );
}

/** A command with a button that copies it. @param {string} command */
export function command(command) {
  const done = h('span', { class: 'visually-hidden', role: 'status' });
  const copy = async () => {
    await navigator.clipboard.writeText(command);
    done.textContent = 'Copied';
    label.textContent = 'Copied';
    setTimeout(() => (label.textContent = 'Copy'), 2000);
  };
  const label = h('span', {}, 'Copy');
  // Without a secure context (an address other than loopback, without TLS) there is no clipboard.
  const canCopy = Boolean(navigator.clipboard);
  return h(
    'div',
    { class: 'command' },
    h('code', { tabindex: '0' }, visible(command)),
    canCopy &&
      h('button', { class: 'button small', type: 'button', on: { click: copy } }, icon('copy'), label),
    done,
  );
}

/** @param {string} label @param {string} value @param {...Child} detail */
export function tile(label, value, ...detail) {
  return h(
    'div',
    { class: 'tile' },
    h('p', { class: 'tile-label' }, label),
    h('p', { class: 'tile-value' }, value),
    detail.length > 0 && h('p', { class: 'tile-detail' }, ...detail),
  );
}

/** A field or a choice with its label. @param {string} text @param {HTMLElement} control  has an id */
export function labelled(text, control) {
  return h('span', { class: 'pair' }, h('label', { for: control.id }, text), control);
}
