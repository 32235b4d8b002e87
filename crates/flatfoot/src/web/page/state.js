// What is looked at, all of it in the URL: `?page=threads&id=3248-5123&last=24h&by=commit`. A link shows the same to
// somebody else, back and forward work, and nothing is kept anywhere besides.
//
// page     overview (when left out), process, threads, map, finding, compare
// id       of a process or a finding
// last     1h, 6h, 24h, 7d, 30d, all: until now, and it moves on. Or from, to: Unix seconds, fixed
// the rest belongs to the pages: by, filter, offset, sort, class, size, show, raster, pattern, only, process, a_from …

const PAGES = ['overview', 'process', 'threads', 'map', 'finding', 'compare'];

/** The range buttons, in seconds; `all` has no length. */
export const RANGES = { '1h': 3600, '6h': 21600, '24h': 86400, '7d': 604800, '30d': 2592000, all: null };

/** What a URL's query says. */
export function parse(search) {
  const state = Object.fromEntries(new URLSearchParams(search));
  if (!PAGES.includes(state.page)) state.page = 'overview';
  for (const name of ['from', 'to', 'offset', 'size']) {
    if (!(name in state)) continue;
    const number = Number(state[name]);
    if (Number.isFinite(number) && state[name] !== '') state[name] = number;
    else delete state[name];
  }
  if (state.last && !(state.last in RANGES)) delete state.last;
  return state;
}

let current = parse(location.search);
const listeners = new Set();

/** What is looked at now. */
export function state() {
  return current;
}

/** The query for a state. */
export function query(next) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(next)) {
    if (value == null || value === '' || (name === 'page' && value === 'overview')) continue;
    params.set(name, value);
  }
  const text = params.toString();
  return text ? `?${text}` : '.';
}

/** A link to another page; the range goes along. */
export function link(page, more = {}) {
  const { last, from, to } = current;
  return query({ page, last, from, to, ...more });
}

/** A link to the same page with something changed. */
export function changed(more) {
  return query({ ...current, ...more });
}

/** Changes what is looked at. A step in the history, unless `replace`. */
export function go(more, { replace = false } = {}) {
  visit(changed(more), replace);
}

/** Follows a link of the page. */
export function visit(href, replace = false) {
  const url = new URL(href, location.href);
  if (url.search === location.search) return;
  if (replace) history.replaceState(history.state, '', url);
  else history.pushState(null, '', url);
  update();
}

/** Tells `listener(y)` of each change; `y` is where one had scrolled to, when one comes back. */
export function onChange(listener) {
  listeners.add(listener);
}

function update(y) {
  current = parse(location.search);
  for (const listener of listeners) listener(y);
}

// The browser would scroll back before the figures are there: each step of the history keeps its own place.
history.scrollRestoration = 'manual';
addEventListener('scrollend', () => history.replaceState({ y: scrollY }, ''));
addEventListener('popstate', () => update(history.state?.y));

// Links of the page change the state instead of loading it anew; what the browser does with ctrl, shift or the middle
// button stays.
document.addEventListener('click', (event) => {
  const anchor = event.target.closest?.('a[href]');
  if (!anchor || event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (anchor.hasAttribute('download') || anchor.target || anchor.getAttribute('href').startsWith('#')) return;
  const url = new URL(anchor.href);
  if (url.origin !== location.origin || url.pathname !== location.pathname) return;
  event.preventDefault();
  const elsewhere = parse(url.search).page !== current.page;
  visit(url.href);
  if (elsewhere) scrollTo(0, 0);
});
