// What all pages share: asking for their documents while the old ones stay, charts, errors, and that nothing jumps.

import { Chart } from '../chart/chart.js';
import * as api from '../api.js';
import { h, keyed } from '../dom.js';
import { iso } from '../format.js';
import { RangeBar, asked, follows, reset, step, zoom } from '../range.js';
import { changed, go, state } from '../state.js';
import { tabs, trouble } from '../parts.js';

/** A page: `build()` makes its parts, `load(looked)` asks and returns documents, `fill(documents)` shows them. */
export class Page {
  #charts = new Map();
  #range = null;
  #answered = false;
  #generation = 0;

  /** `context`: `{info, live, now()}` */
  constructor(context) {
    this.context = context;
    this.trouble = h('div', { class: 'trouble-place' });
    this.element = h('div', { class: `page ${this.constructor.name}` });
  }

  /** Makes the page's parts. */
  start() {
    this.element.append(...this.build(), this.trouble);
    this.element.firstElementChild.after(this.trouble);
    return this;
  }

  /** Asks for what the URL says and shows it. `quiet`: a refresh, not the reader's wish. */
  async show({ quiet = false } = {}) {
    const generation = ++this.#generation;
    // Links go where the URL is now: a range that was chosen here goes along.
    if (this.tabs) tabs(this.tabs);
    if (!quiet) this.element.setAttribute('aria-busy', 'true');
    try {
      const documents = await this.load(state());
      if (generation !== this.#generation || this.destroyed) return;
      this.trouble.replaceChildren();
      this.element.classList.remove('nothing');
      this.#answered = true;
      this.fill(documents);
    } catch (error) {
      if (api.overtaken(error) || generation !== this.#generation || this.destroyed) return;
      // A refresh that failed leaves the old figures: the status line says how old they are.
      this.element.classList.toggle('nothing', !this.#answered);
      if (!(quiet && this.#answered && error.status === 0)) this.trouble.replaceChildren(trouble(error, () => this.show()));
      if (!(error instanceof api.ApiError)) throw error;
    } finally {
      if (generation === this.#generation) {
        this.element.removeAttribute('aria-busy');
        this.element.dataset.shown = location.search || '?';
      }
    }
  }

  /** Parameters of a request: the range and the room of a chart. */
  get params() {
    return { ...asked(state(), this.now(), this.context.info?.recorded), pixels: this.pixels };
  }

  get pixels() {
    const width = [...this.#charts.values()][0]?.width || (this.element.clientWidth > 1000 ? this.element.clientWidth / 2 : this.element.clientWidth);
    return Math.min(4096, Math.max(16, Math.ceil((width || 600) / 50) * 50));
  }

  now() {
    return this.context.now();
  }

  shown() {
    return this.#range;
  }

  /** Does it say that something went wrong? */
  get isTroubled() {
    return this.trouble.childElementCount > 0;
  }

  /** What a command has to be told to look at the same: nothing on the host itself, else the file and its newest time. */
  get where() {
    const { live, recorded } = this.context.info ?? {};
    if (recorded?.by === 'case') return ` ${this.#file}`;
    return recorded?.by === 'recorder' && !live ? ` --at ${iso(recorded.to)} --store ${this.#file}` : '';
  }

  /** The same for one that judges, as the page does: by the last day. */
  get judged() {
    const { live, recorded } = this.context.info ?? {};
    return recorded?.by === 'recorder' && live ? ` --since 24h --store ${this.#file}` : this.where;
  }

  /** What is served, for a shell. */
  get #file() {
    const path = this.context.info.origin.replace(/^recorded in /, '');
    return /^[\w/.+=:@%-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  }

  /** Notes the range that an answer is of. */
  ranged(range) {
    if (!range) return;
    this.#range = { ...range, live: follows(state()) && Boolean(this.context.info?.live) };
    this.rangeBar?.update(this.#range, this.#range.live);
  }

  makeRangeBar() {
    this.rangeBar = new RangeBar(this);
    this.rangeBar.update(null, false);
    return this.rangeBar.element;
  }

  /** What pictures with a time axis are told when they are handled. */
  get handling() {
    return {
      onZoom: (from, to) => this.zoomTo(from, to),
      onReset: reset,
      onStep: (factor, shift) => step(this.#range, factor, shift, this.now()),
    };
  }

  zoomTo(from, to) {
    for (const chart of this.#charts.values()) chart.glide(from, to);
    zoom(from, to, this.context.info?.live ? this.now() : null);
  }

  /** Shows charts in a place, keeping those that are there. */
  charts(place, docs, range = this.#range, more = {}) {
    place.classList.toggle('none', docs.length === 0);
    keyed(place, docs, (doc) => doc.name, (doc) => this.#chart(doc, more).element);
    for (const doc of docs) this.#charts.get(doc.name).update(doc, range);
    for (const [name, chart] of this.#charts) {
      if (docs.some((doc) => doc.name === name)) continue;
      chart.destroy();
      this.#charts.delete(name);
    }
  }

  #chart(doc, more) {
    const chart = new Chart({
      ...this.handling,
      isolated: (name) => (state().only?.startsWith(`${name}:`) ? state().only.slice(name.length + 1) : null),
      onIsolate: (name, series) => go({ only: series ? `${name}:${series}` : null }, { replace: true }),
      ...more,
    });
    this.#charts.set(doc.name, chart);
    return chart;
  }

  /** Keys that work wherever the focus is, outside of fields. */
  key(event) {
    const by = { '+': [0.5, 0], '=': [0.5, 0], '-': [2, 0] }[event.key];
    if (by && this.#range) step(this.#range, ...by, this.now());
    else if (event.key === '0') reset();
    else return false;
    return true;
  }

  /** The theme changed. */
  repaint() {
    for (const chart of this.#charts.values()) chart.redraw();
  }

  destroy() {
    this.destroyed = true;
    for (const chart of this.#charts.values()) chart.destroy();
  }
}

/** A switch between two or three views, kept in the URL. */
export function choice(label, name, values, fallback) {
  const element = h('span', { class: 'choices', role: 'group', 'aria-label': label });
  const follow = () => {
    const now = state()[name] ?? fallback;
    element.replaceChildren(
      ...Object.entries(values).map(([value, text]) =>
        h('a', { href: changed({ [name]: value === fallback ? null : value }), 'aria-current': value === now ? 'true' : null }, text),
      ),
    );
  };
  follow();
  return { element, follow, get value() { return state()[name] ?? fallback; } };
}
