// The frame around the views: navigation, the run that is shown, the connection, the theme.
import { ApiError } from './api.js';
import { announcer } from './components/announcer.js';
import { stateBadge } from './components/badge.js';
import { field, openDialog } from './components/dialog.js';
import { fill, h, setText, svg } from './components/dom.js';
import { icon } from './components/icon.js';
import { empty, failure, loading } from './components/text.js';
import { count, metricValue, visible } from './format.js';
import { parseRoute, routeTo, views } from './router.js';
import { keepToken, takeTokenFromAddress } from './session.js';
import { Store } from './store.js';
import { configuration } from './views/configuration.js';
import { device } from './views/device.js';
import { devices } from './views/devices.js';
import { log } from './views/log.js';
import { model } from './views/model.js';
import { overview } from './views/overview.js';
import { privacy } from './views/privacy.js';
import { round } from './views/round.js';
import { rounds } from './views/rounds.js';
import { runs } from './views/runs.js';
import { heading } from './views/view.js';

/** @import { Route } from './router.js' */
/** @import { View, ViewContext } from './views/view.js' */

/** @param {Route} route @returns {View} */
function viewOf({ view, item }) {
  switch (view) {
    case 'overview':
      return overview;
    case 'rounds':
      return item ? round : rounds;
    case 'devices':
      return item ? device : devices;
    case 'model':
      return model;
    case 'privacy':
      return privacy;
    case 'configuration':
      return configuration;
    case 'log':
      return log;
    case 'runs':
      return runs;
    case 'unknown':
      return () =>
        h(
          'div',
          { class: 'view' },
          heading('No such page'),
          empty('This address names no page', h('a', { href: routeTo('overview') }, 'To the overview')),
        );
  }
}

const store = new Store();
const main = h('main', { id: 'main', tabindex: '-1' });
const navigation = h('nav', { class: 'nav', 'aria-label': 'Views' });
const runSelect = h('select', { id: 'run', class: 'run-select' });
const runLabel = h('label', { for: 'run', class: 'run-label' }, 'Run');
const federationName = h('span', { class: 'federation' });
const connectionPlace = h('div', { class: 'connection' });
const banner = h('div', { class: 'banner-place' });
const version = h('p', { class: 'version' });

let leave = new AbortController();
/** What is drawn: the address, and the run that it stands for. */
let drawn = { fragment: '', run: /** @type {string | null} */ (null) };
let focusHeading = false;
let askedForToken = false;

function draw() {
  const route = parseRoute(location.hash);
  const run = store.runOf(route.run);
  drawn = { fragment: location.hash, run };
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  /** @type {ViewContext} */
  const context = {
    store,
    route,
    run,
    left: signal,
    on: (topic, listener) => {
      const end = store.on(topic, listener);
      signal.addEventListener('abort', end);
    },
    replace: (fragment) => {
      if (signal.aborted || fragment === location.hash) return;
      history.replaceState(null, '', fragment);
      drawn.fragment = location.hash;
    },
    askToken,
  };
  const title = views.find(({ view }) => view === route.view)?.title ?? 'No such page';
  const federation = store.federation?.name;
  document.title = `${route.item ? `${visible(route.item)} · ` : ''}${title} · ${federation ? `${visible(federation)} · ` : ''}Hansa`;
  fill(main, viewOf(route)(context));
  main.scrollTop = 0;
  scrollTo(0, 0);
  drawNavigation(route);
  drawRuns();
  if (focusHeading) main.querySelector('h1')?.focus({ preventScroll: true });
  focusHeading = true;
}

/** @param {Route} route */
function drawNavigation(route) {
  fill(
    navigation,
    h(
      'ul',
      {},
      views.map(({ view, title }) =>
        h(
          'li',
          {},
          h(
            'a',
            {
              href: routeTo(view, { run: route.run }),
              'aria-current': view === route.view ? 'page' : undefined,
            },
            title,
          ),
        ),
      ),
    ),
  );
  const current = navigation.querySelector('[aria-current]');
  if (current instanceof HTMLElement)
    navigation.scrollLeft = current.offsetLeft - navigation.clientWidth / 2 + current.clientWidth / 2;
}

function drawRuns() {
  const route = parseRoute(location.hash);
  const live = store.federation?.live?.run;
  const options = store.runs.map((entry) => {
    const value = entry.last ? ` · ${metricValue(entry.last.metric, entry.last.value)}` : '';
    const text = `${visible(entry.run)} · ${entry.state}${value}`;
    return h(
      'option',
      { value: entry.run, selected: entry.run === (route.run ?? drawn.run) },
      text.length > 80 ? `${text.slice(0, 79)}…` : text,
    );
  });
  // A list that is open would close.
  if (document.activeElement !== runSelect)
    fill(runSelect, options.length > 0 ? options : h('option', { value: '' }, 'no run yet'));
  runSelect.disabled = options.length === 0;
  setText(federationName, store.federation?.name ? visible(store.federation.name) : '');
  setText(runLabel, live && (route.run ?? live) === live ? 'Run (current)' : 'Run');
  const { version: number, commit } = store.federation ?? {};
  setText(version, number ? `Hansa ${number}${commit ? ` (${commit.slice(0, 8)})` : ''}` : '');
}

runSelect.addEventListener('change', () => {
  const route = parseRoute(location.hash);
  const run = runSelect.value;
  const view = route.view === 'unknown' ? 'overview' : route.view;
  location.hash = routeTo(view, {
    run: run === store.runOf(null) ? null : run,
    ...(view === 'devices' && route.item ? { item: route.item } : {}),
  });
});

function drawConnection() {
  const { connection } = store;
  if (connection.state === 'lost') {
    const seconds = Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1000));
    const text =
      connection.error?.status === 401
        ? 'The token was refused.'
        : 'Not connected. The numbers are those of the last connection.';
    if (!banner.querySelector('.lost')) {
      const retry = () => (connection.error?.status === 401 ? askToken() : store.retry());
      fill(
        banner,
        h(
          'div',
          { class: 'banner lost', role: 'alert' },
          icon('unplugged'),
          h('span', {}, text),
          h('span', { class: 'soft retry-text' }),
          h(
            'button',
            { class: 'button small', type: 'button', on: { click: retry } },
            connection.error?.status === 401 ? 'Enter the token' : 'Try now',
          ),
        ),
      );
    }
    const retryText = banner.querySelector('.retry-text');
    // Outside the alert's first text, so that a screen reader does not count along.
    if (retryText) {
      retryText.setAttribute('aria-hidden', 'true');
      setText(retryText, seconds > 0 ? `Next attempt in ${count(seconds)} s` : 'Trying …');
    }
  } else {
    banner.replaceChildren();
  }
  const live = store.federation?.live;
  const state =
    connection.state === 'open'
      ? live
        ? h('span', { class: 'dot good' }, 'Live')
        : h('span', { class: 'dot good' }, 'Watching')
      : connection.state === 'lost'
        ? stateBadge('disconnected', 'Not connected')
        : h('span', { class: 'dot' }, 'Connecting …');
  const key = state.textContent ?? '';
  if (connectionPlace.textContent !== key) fill(connectionPlace, state);
}

function themeButton() {
  const dark = () =>
    document.documentElement.dataset['theme'] ??
    (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
  const text = h('span', {}, '');
  const label = () => setText(text, dark() === 'dark' ? 'Light theme' : 'Dark theme');
  const change = () => {
    const theme = dark() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem('hansa.theme', theme);
    } catch {
      // Storage is disabled: the theme holds until the page is closed.
    }
    label();
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', label);
  label();
  return h('button', { class: 'button quiet', type: 'button', on: { click: change } }, icon('theme'), text);
}

function askToken() {
  if (document.querySelector('dialog[open]')) return;
  openDialog({
    title: "The operator's token",
    content: [
      h(
        'p',
        {},
        'The aggregator prints an address with the token when it starts. The token is kept in this tab only.',
      ),
      field('Token', {
        name: 'token',
        type: 'password',
        required: true,
        autocomplete: 'off',
        spellcheck: 'false',
      }),
    ],
    confirm: 'Use this token',
    act: async (form) => {
      keepToken(String(form.get('token') ?? '').trim());
      await begin();
      if (store.federation && !store.federation.may_act && store.federation.live) {
        throw new ApiError(
          401,
          'token',
          'This token is not the one of this aggregator.',
          'It is in the address that the aggregator prints when it starts.',
        );
      }
    },
  });
}

/** Loads what the frame needs, connects, and draws. */
async function begin() {
  await store.start();
  drawConnection();
  focusHeading = false;
  draw();
}

async function start() {
  takeTokenFromAddress();
  const brand = h('a', { class: 'brand', href: routeTo('overview') }, logo(), h('span', {}, 'Hansa'));
  fill(
    /** @type {HTMLElement} */ (document.getElementById('app')),
    h(
      'header',
      { class: 'top' },
      h('div', { class: 'brand-line' }, brand, federationName),
      h('div', { class: 'run-line' }, runLabel, runSelect),
      navigation,
      h('div', { class: 'top-end' }, connectionPlace, themeButton(), version),
    ),
    h('div', { class: 'content' }, banner, main),
    announcer,
  );
  fill(main, loading());
  addEventListener('hashchange', () => {
    if (takeTokenFromAddress()) void begin().catch(showProblem);
    else if (location.hash === '#main') main.focus();
    else if (location.hash !== drawn.fragment) draw();
  });
  store.on('runs', () => {
    drawRuns();
    // The first run began, or another one became the current one.
    const route = parseRoute(location.hash);
    if (store.runOf(route.run) !== drawn.run) draw();
  });
  store.on('federation', drawRuns);
  store.on('connection', drawConnection);
  setInterval(() => store.connection.state === 'lost' && drawConnection(), 1000);
  await begin().catch(showProblem);
}

/** @param {unknown} error */
function showProblem(error) {
  if (error instanceof ApiError && error.status === 401) {
    fill(
      main,
      h(
        'div',
        { class: 'view' },
        heading('A token is needed'),
        empty(
          'This address needs the operator’s token',
          'Open the address that the aggregator printed, or ',
          h('button', { class: 'button', type: 'button', on: { click: askToken } }, 'enter the token'),
        ),
      ),
    );
    if (!askedForToken) askToken();
    askedForToken = true;
    return;
  }
  fill(
    main,
    h(
      'div',
      { class: 'view' },
      heading('Not connected'),
      failure(error, () => void begin().catch(showProblem)),
    ),
  );
}

function logo() {
  return svg(
    'svg',
    { class: 'logo', viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    svg('rect', { width: 32, height: 32, rx: 7, class: 'logo-ground' }),
    svg('path', { d: 'M16 6v19M8 12h16', class: 'logo-mast' }),
    svg('path', { d: 'M9.5 14.5h13l-2 7h-9z', class: 'logo-sail' }),
    svg('path', { d: 'M6 24c3.3 3 6.7 3 10 0 3.3 3 6.7 3 10 0', class: 'logo-sea' }),
  );
}

void start();
