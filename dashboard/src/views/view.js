// What all views have in common.
import { ApiError } from '../api.js';
import { fill, h, patch } from '../components/dom.js';
import { failure, loading } from '../components/text.js';

/** @import { Store, Topic } from '../store.js' */
/** @import { Route } from '../router.js' */
/** @import { Child } from '../components/dom.js' */

/**
 * @typedef {object} ViewContext
 * @property {Store} store
 * @property {Route} route
 * @property {string | null} run  the run that the view is about
 * @property {AbortSignal} left  aborted when the view is left: ends its requests and listeners
 * @property {(topic: Topic, listener: () => void) => void} on  until the view is left
 * @property {(fragment: string) => void} replace  changes the address without drawing the view again
 * @property {() => void} askToken
 */

/** @typedef {(context: ViewContext) => HTMLElement} View */

/**
 * Shows that something is loading, and then what was loaded, or why it was not.
 * @template T
 * @param {ViewContext} context @param {HTMLElement} place @param {(signal: AbortSignal) => Promise<T>} fetch
 * @param {(value: T) => Child | Child[]} draw
 */
export async function load(context, place, fetch, draw) {
  // Something that takes a moment should not flash.
  const timer = setTimeout(() => fill(place, loading()), 150);
  try {
    const value = await fetch(context.left);
    clearTimeout(timer);
    if (!context.left.aborted) fill(place, draw(value));
  } catch (error) {
    clearTimeout(timer);
    if (context.left.aborted) return;
    fill(
      place,
      failure(error, () => void load(context, place, fetch, draw)),
    );
    if (error instanceof ApiError && error.status === 401) context.askToken();
  }
}

/**
 * Loads again what load() has drawn, and changes only what differs. If it fails, what is shown stays: the state of the
 * connection tells.
 * @template T
 * @param {ViewContext} context @param {HTMLElement} place @param {(signal: AbortSignal) => Promise<T>} fetch
 * @param {(value: T) => Child | Child[]} draw
 */
export async function refresh(context, place, fetch, draw) {
  const value = await fetch(context.left).catch(() => null);
  if (value !== null && !context.left.aborted) patch(place, draw(value));
}

/** @param {string} title @param {...Child} more  at the right */
export function heading(title, ...more) {
  return h(
    'div',
    { class: 'heading' },
    h('h1', { tabindex: '-1' }, title),
    h('div', { class: 'heading-more' }, ...more),
  );
}

/** Calls the function at most every so many milliseconds, at the end of them. @param {() => void} call @param {number} pause */
export function throttle(call, pause) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      call();
    }, pause);
  };
}
