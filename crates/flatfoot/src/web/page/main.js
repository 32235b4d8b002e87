// Starts the page: which part is shown, the connection to the server, the theme, the keys.

import * as api from './api.js';
import { announce, clean, h, say } from './dom.js';
import { clock, duration, local, processName } from './format.js';
import { forget } from './chart/palette.js';
import { Live } from './live.js';
import { trouble } from './parts.js';
import { link, onChange, state } from './state.js';
import Overview from './pages/overview.js';
import * as words from './words.js';

// The other pages come when they are asked for: the first paint waits for less.
const PAGES = {
  overview: async () => Overview,
  process: async () => (await import('./pages/process.js')).default,
  threads: async () => (await import('./pages/threads.js')).default,
  map: async () => (await import('./pages/map.js')).default,
  finding: async () => (await import('./pages/finding.js')).default,
  compare: async () => (await import('./pages/compare.js')).default,
};

/** Not more often than this, however often the host ticks. */
const REFRESH_S = { overview: 2, process: 2, threads: 5, map: 15, finding: 10, compare: Infinity };

const main = document.getElementById('main');
const live = new Live();
const started = performance.now();
let page = null;
let shownKey = '';
let refreshed = 0;
let refreshing = false;
let known = null;

const context = {
  info: null,
  live,
  /** The server's time; the browser's, until the server said its own. */
  now() {
    const { info } = context;
    if (live.now() != null && info?.live !== false) return live.now();
    const since = info?.live ? (performance.now() - context.infoSeen) / 1000 : 0;
    // A case file that was not read yet says 0.
    return info?.recorded?.to > 0 ? info.recorded.to + since : (page?.shown()?.to ?? Date.now() / 1000);
  },
};

/** Shows the page that the URL names; another one is built, the same one asks anew. */
async function route() {
  const looked = state();
  const key = `${looked.page} ${looked.id ?? ''}`;
  for (const anchor of document.querySelectorAll('.main-nav a')) {
    // The range goes along.
    anchor.href = link(anchor.dataset.page);
    if (anchor.dataset.page === looked.page) anchor.setAttribute('aria-current', 'page');
    else anchor.removeAttribute('aria-current');
  }
  if (key === shownKey) {
    // Its code may still be under way.
    if (page?.shows === key) await page.show();
    return;
  }
  const moved = Boolean(shownKey);
  shownKey = key;
  api.cancelAll();
  let Next;
  try {
    Next = await PAGES[looked.page]();
  } catch {
    if (key === shownKey) main.replaceChildren(trouble(api.silence(), () => location.reload()));
    return;
  }
  if (key !== shownKey) return;
  page?.destroy();
  page = new Next(context).start();
  page.shows = key;
  main.replaceChildren(page.element);
  // Who does not see the page is told that it is another one.
  if (moved) page.element.querySelector('h1')?.focus({ preventScroll: true });
  await page.show();
}

function retitle() {
  const host = context.info?.host;
  document.title = clean([page?.title(), host, 'flatfoot'].filter(Boolean).join(' · '));
}

async function refresh(soon = false) {
  if (page?.shows !== shownKey || refreshing || document.hidden || !context.info?.live || state().to != null) return;
  const since = (performance.now() - refreshed) / 1000;
  const shown = page.shown();
  const column = shown ? (shown.to - shown.from) / 600 : 0;
  if (!soon && since < Math.max(REFRESH_S[state().page], Math.min(column, 60))) return;
  refreshing = true;
  try {
    await page.show({ quiet: true });
  } finally {
    refreshed = performance.now();
    refreshing = false;
  }
}

/** Says each finding that was not there before. */
async function news({ findings }) {
  if (!Array.isArray(findings)) return;
  const fresh = known ? findings.filter(({ id, pid }) => !known.has(`${id} ${pid}`)) : [];
  known = new Set(findings.map(({ id, pid }) => `${id} ${pid}`));
  refresh(true);
  for (const { id, pid } of fresh.slice(0, 3)) {
    const answer = await api.get(`/findings/${encodeURIComponent(id)}`, { process: pid, pixels: 16 }).catch(() => null);
    if (answer) announce(`New finding: ${words.title(answer.finding)}, ${processName(answer.finding.process)}, ${words.headline(answer.finding)}`);
  }
}

const status = document.getElementById('status');
const statusText = document.getElementById('status-text');

/** The lamp: is this now, and if not, why, and how old? */
function showStatus() {
  const age = live.tick ? (performance.now() - live.tickSeen) / 1000 : null;
  const interval = context.info?.recorded?.interval_s ?? 1;
  const old = age != null && age > 5 + 3 * interval ? `, figures are ${duration(Math.floor(age))} old` : '';
  let kind = live.status;
  let text;
  if (live.status === 'lost') {
    const wait = Math.max(0, Math.ceil((live.retryAt - performance.now()) / 1000));
    text = `connection lost, trying again${wait ? ` in ${wait} s` : ''}${old}`;
  } else if (live.status === 'live' && context.info && !context.info.live) {
    kind = 'ended';
    text = 'recorded';
  } else if (live.status === 'live') {
    if (old) kind = 'old';
    text = old ? `connected${old}` : state().to != null ? 'looking at the past' : `live${live.tick ? ` ${clock(live.tick.at)}` : ''}`;
  } else if (live.status === 'ended') text = context.info?.recorded?.to > 0 ? `recorded until ${local(context.info.recorded.to)}` : 'ended';
  else if (live.status === 'paused') text = 'paused';
  else text = performance.now() - started > 3000 ? 'connecting …' : 'connecting';
  // The text has a clock in it: only what changes is told.
  const was = status.dataset.status;
  if (kind === 'lost' && was !== 'lost') announce('Connection lost, trying again');
  if (kind === 'live' && (was === 'lost' || was === 'old')) announce('Connected again');
  status.dataset.status = kind;
  say(statusText, text);
}

/** Light and dark. */
const themeButton = document.getElementById('theme');
const system = matchMedia('(prefers-color-scheme: dark)');
const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? 'dark' : 'light')) === 'dark';

function repaint() {
  forget();
  say(themeButton, isDark() ? 'Light' : 'Dark');
  themeButton.setAttribute('aria-label', `Change to ${isDark() ? 'light' : 'dark'}`);
  page?.repaint();
}

themeButton.addEventListener('click', () => {
  const next = isDark() ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem('flatfoot-theme', next);
  } catch {
    // Then it lasts until the page is closed.
  }
  repaint();
});
system.addEventListener('change', repaint);
// Pictures are painted for paper, and back.
matchMedia('print').addEventListener('change', repaint);

const KEYS_BELONG = 'input, select, textarea, [contenteditable]';

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(KEYS_BELONG)) return;
  if (event.key === '/') {
    const field = main.querySelector('input[type=search]');
    if (!field) return;
    field.focus();
    event.preventDefault();
  } else if (page?.key(event)) event.preventDefault();
});

document.querySelector('.skip').addEventListener('click', () => main.focus());

/** What is served, told once: where from, since when, and the line for a tunnel. */
async function introduce() {
  context.info = await api.get('').catch((error) => {
    say(document.getElementById('origin'), `${error.message}${error.hint ? `; hint: ${error.hint}` : ''}`);
    return null;
  });
  context.infoSeen = performance.now();
  const { info } = context;
  if (!info) return;
  // Of a recorder's store the origin says that it was recorded.
  const by = { page: ', recorded by this page', case: ', recorded' }[info.recorded?.by] ?? '';
  const each = info.recorded?.interval_s ? `, each ${duration(info.recorded.interval_s)}` : '';
  const since = info.recorded?.from > 0 ? `${by} since ${local(info.recorded.from)}${each}` : '';
  say(document.getElementById('origin'), `flatfoot ${info.version ?? ''} · ${info.origin ?? ''}${since}`);
  const remarks = document.getElementById('remarks');
  remarks.replaceChildren(...(info.remarks ?? []).map((line) => h('span', { class: 'line' }, line)), ...(info.ssh ? [h('span', { class: 'line' }, 'From elsewhere: ', h('code', {}, info.ssh))] : []));
}

live.addEventListener('tick', () => {
  showStatus();
  refresh();
});
live.addEventListener('findings', (event) => news(event.detail));
// It may be another server that answers now.
live.addEventListener('resumed', async () => {
  // The code of a part did not come: browsers ask for it but once.
  if (page?.shows !== shownKey) {
    location.reload();
    return;
  }
  await introduce();
  if (page.isTroubled) await page.show();
  else await refresh(true);
  retitle();
});
live.addEventListener('state', () => {
  if (live.status === 'ended') introduce().then(showStatus);
  showStatus();
});
setInterval(showStatus, 1000);

onChange(async (y) => {
  const looked = location.search;
  showStatus();
  await route();
  retitle();
  if (y != null && looked === location.search) scrollTo(0, y);
});

repaint();
const first = introduce();
// A range until now needs the server's time; all else needs nothing and is asked at once.
if (state().last || state().page === 'compare') await first;
const { y } = history.state ?? {};
await route();
if (y != null) scrollTo(0, y);
await first;
showStatus();
retitle();
live.start();
