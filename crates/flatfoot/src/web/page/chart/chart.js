// One chart of the API as a figure: title, picture, legend with the values under the cursor, table, its command line.
// A click in the legend isolates a series; the picture says itself in words to who cannot see it.

import { announce, clean, command, h, keyed, put, say } from '../dom.js';
import { amount, axis, local } from '../format.js';
import * as shape from './data.js';
import * as overlays from './overlays.js';
import { colours, css, faint, hatch } from './palette.js';
import { Plot, cursorTime } from './plot.js';

/** `options`: what Plot is told, `isolated()` and `onIsolate(series or null)`, `elapsed`. */
export class Chart {
  #plot = null;
  #look = '';
  #doc = null;
  #range = null;
  #table = false;

  constructor(options = {}) {
    this.options = options;
    this.title = h('h3', {});
    this.growth = h('span', { class: 'growth' });
    this.when = h('span', { class: 'when', 'aria-hidden': 'true' });
    this.tableButton = h('button', { type: 'button', class: 'tool', 'aria-pressed': 'false', onclick: () => this.#toggleTable() }, 'Table');
    this.host = h('div', { class: 'plot', role: 'img', tabindex: '0', 'aria-roledescription': 'chart', 'aria-keyshortcuts': 'ArrowLeft ArrowRight + - 0' });
    this.empty = h('p', { class: 'empty', hidden: true });
    this.legend = h('ul', { class: 'legend' });
    this.tablePlace = h('div', { class: 'scroll chart-table', hidden: true, tabindex: '0', role: 'region', 'aria-label': 'Table of the chart' });
    this.commandPlace = h('p', { class: 'as-command' });
    this.element = h(
      'figure',
      { class: 'chart' },
      h('figcaption', {}, this.title, this.growth, this.when, this.tableButton),
      this.host,
      this.empty,
      this.legend,
      this.tablePlace,
      this.commandPlace,
    );
    this.host.addEventListener('mouseleave', () => this.#values(null));
  }

  /** Shows a document of the API for a range. */
  update(doc, range) {
    this.#doc = doc;
    this.#range = this.#withFuture(doc, range);
    this.element.dataset.chart = clean(doc.name);
    say(this.title, doc.title);
    say(this.growth, shape.growthWords(doc));
    this.host.setAttribute('aria-label', clean(shape.summary(doc)));
    const empty = shape.isEmpty(doc);
    this.host.hidden = empty;
    this.empty.hidden = !empty;
    if (empty) say(this.empty, doc.gaps?.[0]?.why ? `Nothing is known of this time: ${doc.gaps[0].why}.` : 'Nothing is known of this time.');
    else this.#draw();
    this.#entries();
    this.#values(this.#plot?.cursor ?? null);
    if (this.#table) this.#fillTable();
    put(this.commandPlace, doc.command ?? '', () => (doc.command ? command(doc.command, { quiet: true }) : null));
  }

  /** The theme or the isolated series changed. */
  redraw() {
    this.#look = '';
    if (this.#doc) this.update(this.#doc, this.#base);
  }

  /** Shows another part at once, until its figures come. */
  glide(from, to) {
    this.#range = { from, to };
    this.#plot?.glide(from, to);
  }

  get width() {
    return this.element.clientWidth;
  }

  destroy() {
    this.#plot?.destroy();
  }

  #base = null;

  #withFuture(doc, range) {
    this.#base = range;
    const extra = range.live ? shape.ahead(doc, range.to - range.from, range.to) : 0;
    return { ...range, to: range.to + extra };
  }

  get #only() {
    return this.options.isolated?.(this.#doc.name) ?? null;
  }

  #draw() {
    const doc = this.#doc;
    const { data, parts } = shape.columns(doc, this.#only);
    const look = JSON.stringify([parts, doc.unit, doc.stacked, doc.growth?.series]);
    if (this.#plot && look === this.#look) {
      this.#plot.update(data, this.#range);
      return;
    }
    if (this.#plot?.busy) {
      // What is being dragged at stays; it is made anew when it is let go.
      setTimeout(() => this.element.isConnected && this.#draw(), 200);
      return;
    }
    this.#look = look;
    const pointer = this.#plot?.pointer;
    this.#plot?.destroy();
    this.#plot = null;
    this.host.replaceChildren();
    this.#plot = new Plot(this.host, this.#settings(parts), data, this.#range);
    // Whoever reads the figures under the cursor goes on reading.
    if (pointer) this.#plot.point(pointer);
  }

  #settings(parts) {
    const chosen = colours(this.#doc);
    const stacked = parts.filter((part) => part.role === 'area').length > 1;
    const bands = [];
    const series = parts.map(({ name, role }, at) => {
      const key = chosen.get(name);
      const colour = css(stacked && key === '--leak' ? '--leak-area' : key);
      if (role === 'high') bands.push({ series: [at + 1, at + 2], fill: faint(colour, 0.28) });
      const edge = role === 'high' || role === 'low';
      return {
        label: clean(name),
        spanGaps: false,
        width: edge ? 0 : stacked ? 1 : 1.75,
        stroke: edge ? 'transparent' : stacked ? css('--page') : colour,
        dash: name === 'limit' || name === 'memory' ? [6, 4] : undefined,
        fill: role === 'area' ? (stacked ? (name === 'unexplained' ? (u) => hatch(u.ctx, css('--dim')) : colour) : faint(colour, 0.35)) : undefined,
        points: { show: false, size: 4, stroke: colour, fill: colour, filter: alone },
      };
    });
    const unit = this.#doc.unit;
    return {
      ...this.options,
      series,
      bands,
      unit,
      format: (value, step) => axis(unit, value, step),
      scale: { range: () => [0, this.#top()] },
      onCursor: (at) => this.#values(at),
      hooks: {
        drawClear: [(u) => overlays.gaps(u, this.#doc)],
        draw: [
          (u) => overlays.markers(u, this.#doc),
          (u) => this.#base.live && overlays.ahead(u, this.#doc, this.#base.to),
          (u) => overlays.limits(u, this.#doc, shape.greatest(this.#doc, this.#only, -Infinity, Infinity)),
        ],
      },
    };
  }

  /** The picture's upper edge: what is drawn, with the limits that are near. */
  #top() {
    // uPlot asks before it has set the scale of the times.
    const { from, to } = this.#plot?.range ?? this.#range;
    const seen = shape.greatest(this.#doc, this.#only, from, to) || 1;
    const near = shape.limitsInView(this.#doc, seen).map((limit) => limit.value);
    const future = this.#base.live ? shape.outlook(this.#doc, this.#base.to) : null;
    const led = future ? Math.min(future.value + future.perS * (to - future.from), seen * 1.4) : 0;
    return Math.max(seen, led, ...near) * 1.08;
  }

  #entries() {
    const doc = this.#doc;
    const chosen = colours(doc);
    const only = this.#only;
    const names = doc.stacked ? [...doc.series].reverse() : doc.series;
    keyed(
      this.legend,
      names,
      (series) => series.name,
      (series) => {
        const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
        const name = h('span', { class: 'name' }, series.name);
        const button = h('button', { type: 'button', title: 'Show this one alone' }, swatch, name, h('span', { class: 'value' }));
        button.addEventListener('click', () => this.#isolate(series.name));
        return h('li', {}, button);
      },
      (item, series) => {
        const [button] = item.children;
        button.setAttribute('aria-pressed', String(only === series.name));
        item.classList.toggle('off', only != null && only !== series.name);
        const key = chosen.get(series.name);
        const area = doc.stacked && doc.series.length > 1 && !only && key === '--leak';
        button.firstElementChild.style.setProperty('background-color', `var(${area ? '--leak-area' : key})`);
        button.firstElementChild.classList.toggle('hatched', doc.stacked && series.name === 'unexplained');
      },
    );
  }

  #isolate(name) {
    const next = this.#only === name ? null : name;
    this.options.onIsolate?.(this.#doc.name, next);
    announce(next ? `${name} alone` : 'all series');
    this.redraw();
  }

  /** The legend's values: of a column, or the last known. */
  #values(at) {
    const doc = this.#doc;
    if (!doc) return;
    const place = at != null && at < doc.times.length ? at : null;
    say(this.when, place == null ? '' : cursorTime(doc.times[place], this.options.elapsed));
    // Who has ended in between takes nothing any more.
    const newest = doc.stacked ? Math.max(...doc.series.map((series) => shape.lastKnown(series.last))) : 0;
    for (const item of this.legend.children) {
      const series = doc.series.find((one) => clean(one.name) === item.dataset.key);
      if (!series) continue;
      const column = place ?? shape.lastKnown(series.last);
      const was = place == null && column < newest - 2 ? 'was ' : '';
      say(item.querySelector('.value'), column < 0 || series.last[column] == null ? 'unknown' : `${was}${amount(doc.unit, series.last[column])}`);
    }
  }

  #toggleTable() {
    this.#table = !this.#table;
    this.tableButton.setAttribute('aria-pressed', String(this.#table));
    this.tablePlace.hidden = !this.#table;
    if (this.#table) this.#fillTable();
  }

  #fillTable() {
    const doc = this.#doc;
    const { rows, step } = shape.tableRows(doc);
    const time = (at) => (this.options.elapsed ? cursorTime(at, true) : local(at));
    const caption = step > 1 ? `${doc.title}: each ${step}th of ${doc.times.length} columns, newest first` : `${doc.title}, newest first`;
    put(this.tablePlace, [caption, rows], () =>
      h(
        'table',
        {},
        h('caption', {}, caption),
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Time'), doc.series.map((series) => h('th', { scope: 'col', class: 'num' }, series.name)))),
        h('tbody', {}, rows.map((row) => h('tr', {}, h('th', { scope: 'row' }, time(row.time)), row.cells.map((cell) => h('td', { class: 'num' }, cell))))),
      ),
    );
  }
}

/** Single points between gaps would not show as a line: they are drawn as dots. */
function alone(u, index) {
  const values = u.data[index];
  const places = [];
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] != null && values[at - 1] == null && values[at + 1] == null) places.push(at);
  }
  return places.length ? places : null;
}
