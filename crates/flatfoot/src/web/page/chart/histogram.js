// Which sizes of mappings there are: x is the size (each doubling as wide as the next), y the number. A leak of stacks is
// a spike. Below it the same as a list: size, number, class, and a bar for what they come to.

import { h, svg } from '../dom.js';
import { bytes, bytesShort, count } from '../format.js';

const WIDTH = 600;
const HEIGHT = 180;
const EDGE = { left: 44, right: 8, top: 22, bottom: 24 };
const MOST_ROWS = 12;

/** Of `[{size_bytes, count, class, sum_bytes}]`; `href(size)` leads to its mappings. */
export function histogram(sizes, chosen, href) {
  if (!sizes?.length) return h('p', { class: 'empty' }, 'No mappings were read.');
  return h('div', {}, picture(sizes, chosen), list(sizes, chosen, href));
}

function picture(sizes, chosen) {
  const logs = sizes.map((one) => Math.log2(Math.max(1, one.size_bytes)));
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs)) + 0.5];
  const most = Math.max(...sizes.map((one) => one.count));
  const x = (log) => EDGE.left + ((log - low) / Math.max(1, high - low)) * (WIDTH - EDGE.left - EDGE.right);
  const y = (value) => HEIGHT - EDGE.bottom - (value / most) * (HEIGHT - EDGE.top - EDGE.bottom);
  // Guards are as many as the stacks that they guard, and nothing.
  const real = sizes.filter((one) => one.class !== 'guard');
  const tallest = (real.length ? real : sizes).reduce((a, b) => (b.count > a.count ? b : a));
  const steps = Math.max(1, Math.ceil((high - low) / 8));
  const ticks = [];
  for (let log = low; log <= high; log += steps) ticks.push(log);
  const spike = x(Math.log2(tallest.size_bytes));
  const right = spike > WIDTH * 0.6;
  return svg(
    'svg',
    { class: 'histogram', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `Number of mappings by size. Most, but for guards, have ${bytes(tallest.size_bytes)}: ${count(tallest.count)} of class ${tallest.class}.` },
    [0, most].map((value) => [svg('line', { class: 'grid', x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(value), y2: y(value) }), svg('text', { x: EDGE.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, count(value))]),
    ticks.map((log) => svg('text', { x: x(log), y: HEIGHT - 6, 'text-anchor': 'middle' }, bytesShort(2 ** log))),
    [...sizes].reverse().map((one) => {
      const at = x(Math.log2(Math.max(1, one.size_bytes)));
      const kind = one.size_bytes === chosen || (chosen == null && one === tallest) ? 'spike chosen' : 'spike';
      return svg('line', { class: kind, x1: at, x2: at, y1: y(0), y2: Math.min(y(one.count), y(0) - 1.5) }, svg('title', {}, `${count(one.count)} × ${bytes(one.size_bytes)}, ${one.class}`));
    }),
    svg('text', { class: 'spike-label', x: spike + (right ? -6 : 6), y: 14, 'text-anchor': right ? 'end' : 'start' }, `${count(tallest.count)} × ${bytes(tallest.size_bytes)}, ${tallest.class}`),
  );
}

function list(sizes, chosen, href) {
  const rows = [...sizes].sort((a, b) => b.sum_bytes - a.sum_bytes).slice(0, MOST_ROWS);
  const whole = Math.max(1, rows[0]?.sum_bytes ?? 1);
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Sizes of mappings' },
    h(
      'table',
      { class: 'sizes' },
      h('caption', { class: 'hidden' }, 'Sizes of mappings, the largest sums first'),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col', class: 'num' }, 'Size'), h('th', { scope: 'col', class: 'num' }, 'Number'), h('th', { scope: 'col', class: 'num' }, 'Sum'), h('th', { scope: 'col' }, 'Class'))),
      h(
        'tbody',
        {},
        rows.map((one) => {
          const bar = h('span', { class: 'bar-of', 'aria-hidden': 'true' });
          bar.style.setProperty('inline-size', `${Math.max(1, (one.sum_bytes / whole) * 100)}%`);
          return h(
            'tr',
            { class: one.size_bytes === chosen ? 'chosen' : null },
            h('th', { scope: 'row', class: 'num' }, h('a', { href: href(one.size_bytes), 'data-focus': `size-${one.size_bytes}-${one.class}`, title: 'Show these mappings alone' }, bytes(one.size_bytes))),
            h('td', { class: 'num' }, count(one.count)),
            h('td', { class: 'num with-bar' }, bar, bytes(one.sum_bytes)),
            h('td', {}, one.class),
          );
        }),
      ),
    ),
  );
}
