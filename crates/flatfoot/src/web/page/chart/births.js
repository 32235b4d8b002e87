// Births of threads, two ways. The raster folds time: x is when, y is the second of the minute (or of the hour), so that
// what a clock starts lies on a horizontal line. The lifelines show who stays: a leak is a staircase without ends.

import { clean, h, put, say } from '../dom.js';
import { count, local, period } from '../format.js';
import { phase } from '../words.js';
import { css } from './palette.js';
import { Plot, cursorTime, within } from './plot.js';

const MOST_TABLE = 200;

/** What both pictures are: a figure around a Plot that is painted by hand. */
class Births {
  #plot = null;
  #look = '';

  constructor(handling, { name, title, height }) {
    this.handling = handling;
    this.title = h('h3', {}, title);
    this.words = h('span', { class: 'growth' });
    this.when = h('span', { class: 'when', 'aria-hidden': 'true' });
    this.host = h('div', { class: `plot ${height}`, role: 'img', tabindex: '0', 'aria-roledescription': 'chart', 'aria-keyshortcuts': 'ArrowLeft ArrowRight + - 0' });
    this.tableButton = h('button', { type: 'button', class: 'tool', 'aria-pressed': 'false', onclick: () => this.#toggle() }, 'Table');
    this.tablePlace = h('div', { class: 'scroll chart-table', hidden: true, tabindex: '0', role: 'region', 'aria-label': `Table of the chart ${title}` });
    this.note = h('p', { class: 'dim note' });
    this.element = h('figure', { class: 'chart', 'data-chart': name }, h('figcaption', {}, this.title, this.words, this.when, this.tableButton), this.host, this.note, this.tablePlace);
  }

  /** `{doc, range, chosen, fold}` */
  update(view) {
    this.view = view;
    this.births = view.doc.births.filter((birth) => view.chosen == null || birth.pattern === view.chosen);
    const times = this.births.map((birth) => birth.at);
    this.currentTop = this.top();
    const look = JSON.stringify([view.fold, view.chosen]);
    this.host.setAttribute('aria-label', clean(this.summary()));
    say(this.words, this.headline());
    say(this.note, this.remark());
    const data = [times, this.births.map((birth, at) => this.value(birth, at))];
    if (this.#plot && look === this.#look) {
      this.#plot.update(data, view.range);
    } else {
      this.#look = look;
      this.#plot?.destroy();
      this.host.replaceChildren();
      this.#plot = new Plot(this.host, this.#settings(), data, view.range);
    }
    if (!this.tablePlace.hidden) this.#fillTable();
  }

  redraw() {
    this.#look = '';
    if (this.view) this.update(this.view);
  }

  glide(from, to) {
    this.#plot?.glide(from, to);
  }

  destroy() {
    this.#plot?.destroy();
  }

  #settings() {
    return {
      ...this.handling,
      unit: 'count',
      series: [{ stroke: 'transparent', width: 0, points: { show: false } }],
      scale: { range: () => [this.bottom(), this.currentTop] },
      format: (value) => this.axis(value),
      splits: this.axisPlaces && (() => this.axisPlaces()),
      hooks: { draw: [(u) => within(u, (pen, box) => this.paint(u, pen, box))] },
      onCursor: (at) => say(this.when, at == null || !this.births[at] ? '' : `${cursorTime(this.births[at].at)} ${this.births[at].name}`),
    };
  }

  colour(birth) {
    const group = this.view.doc.groups[birth.pattern];
    if (birth.pattern == null || !group) return css('--s-others');
    return group.births_per_s > 0 ? css('--leak') : css(`--s${birth.pattern % 9}`);
  }

  #toggle() {
    this.tablePlace.hidden = !this.tablePlace.hidden;
    this.tableButton.setAttribute('aria-pressed', String(!this.tablePlace.hidden));
    if (!this.tablePlace.hidden) this.#fillTable();
  }

  #fillTable() {
    const rows = this.births.slice(-MOST_TABLE).reverse();
    put(this.tablePlace, rows, () =>
      h(
        'table',
        {},
        h('caption', {}, `The newest ${rows.length} of ${count(this.births.length)} births`),
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Born'), h('th', { scope: 'col', class: 'num' }, 'Thread'), h('th', { scope: 'col' }, 'Name'), h('th', { scope: 'col' }, 'Ended'))),
        h('tbody', {}, rows.map((birth) => h('tr', {}, h('th', { scope: 'row' }, local(birth.at)), h('td', { class: 'num' }, birth.tid ?? '-'), h('td', {}, birth.name), h('td', {}, birth.ended == null ? 'alive' : local(birth.ended))))),
      ),
    );
  }

  remark() {
    const left = this.view.doc.births_left_out ?? 0;
    return left > 0 ? `${count(left)} older births are left out.` : this.births.length ? '' : 'No births are known of this time.';
  }
}

/** x: time, y: second of the minute or of the hour. */
export class Raster extends Births {
  constructor(handling) {
    super(handling, { name: 'raster', title: 'Birth raster', height: 'tall' });
  }

  // A little room below and above, so that what is born at :00 is seen whole.
  top() {
    return this.view.fold * 1.03;
  }

  bottom() {
    return this.view.fold * -0.03;
  }

  value(birth) {
    return this.#fold(birth.at);
  }

  /** Seconds count from the epoch; minutes and hours of all time zones in use begin on whole quarters of an hour. */
  #fold(at) {
    const { fold } = this.view;
    return ((at % fold) + fold) % fold;
  }

  axis(value) {
    const { fold } = this.view;
    return fold === 60 ? `:${String(Math.round(value)).padStart(2, '0')}` : `${String(Math.round(value / 60)).padStart(2, '0')} min`;
  }

  axisPlaces() {
    const { fold } = this.view;
    return [0, 1, 2, 3, 4].map((quarter) => (quarter * fold) / 4);
  }

  /** The rhythms of what is shown. */
  get schedules() {
    const { chosen, doc } = this.view;
    return (doc.schedules ?? []).filter((one) => chosen == null || one.pattern === chosen);
  }

  #rhythms() {
    return this.schedules.map((one) => `one every ${period(one.period_s)}${phase(one.period_s, one.phase_s)}`);
  }

  headline() {
    return this.#rhythms().slice(0, 2).join(' · ');
  }

  summary() {
    const rhythms = this.#rhythms();
    const rhythm = rhythms.length ? `Rhythm: ${rhythms.join('; ')}.` : 'No rhythm is known.';
    return `Births of threads, the second of the ${this.view.fold === 60 ? 'minute' : 'hour'} over time: ${count(this.births.length)} births. ${rhythm}`;
  }

  paint(u, pen, box) {
    const { ratio } = box;
    this.#schedules(u, pen, box);
    const size = (this.births.length > 4000 ? 2 : this.births.length > 800 ? 3 : 4) * ratio;
    for (const birth of this.births) {
      pen.fillStyle = this.colour(birth);
      const x = u.valToPos(birth.at, 'x', true);
      const y = u.valToPos(this.#fold(birth.at), 'y', true);
      if (birth.ended == null) pen.fillRect(x - size / 2, y - size / 2, size, size);
      else {
        pen.globalAlpha = 0.5;
        pen.fillRect(x - size / 4, y - size / 4, size / 2, size / 2);
        pen.globalAlpha = 1;
      }
    }
  }

  /** A thin line where each schedule is expected. */
  #schedules(u, pen, box) {
    pen.strokeStyle = css('--leak');
    pen.globalAlpha = 0.25;
    for (const { period_s: every, phase_s: at } of this.schedules) {
      if (at == null || every < 5) continue;
      const beats = Math.min(60, Math.max(1, Math.round(this.view.fold / every)));
      for (let beat = 0; beat < beats; beat += 1) {
        const y = Math.round(u.valToPos(this.#fold(at + beat * every), 'y', true)) + 0.5;
        pen.beginPath();
        pen.moveTo(box.left, y);
        pen.lineTo(box.right, y);
        pen.stroke();
      }
    }
    pen.globalAlpha = 1;
  }
}

/** A line for each thread from its birth to its end; the oldest lowest. */
export class Lifelines extends Births {
  constructor(handling) {
    super(handling, { name: 'lifelines', title: 'Lifelines', height: 'tall' });
  }

  top() {
    return Math.max(4, this.births.length * 1.05);
  }

  bottom() {
    return 0;
  }

  value(birth, at) {
    return at + 1;
  }

  axis(value) {
    return Number.isInteger(value) ? count(value) : '';
  }

  headline() {
    const alive = this.births.filter((birth) => birth.ended == null).length;
    return this.births.length ? `${count(alive)} of ${count(this.births.length)} alive` : '';
  }

  summary() {
    return `Life of each thread, oldest lowest: ${this.headline() || 'none is known'}.`;
  }

  paint(u, pen, box) {
    const { ratio } = box;
    const row = Math.abs(u.valToPos(0, 'y', true) - u.valToPos(1, 'y', true));
    // Thinner than a pixel, lines add up to a tone.
    const thick = row < 1.5 * ratio ? row : Math.min(row * 0.6, 4 * ratio);
    const now = Math.min(box.right, u.valToPos(this.view.range.to, 'x', true));
    this.births.forEach((birth, at) => {
      const from = Math.max(box.left, u.valToPos(birth.at, 'x', true));
      const to = birth.ended == null ? now : Math.min(box.right, u.valToPos(birth.ended, 'x', true));
      if (to < box.left || from > box.right) return;
      const y = u.valToPos(at + 1, 'y', true);
      pen.fillStyle = this.colour(birth);
      pen.globalAlpha = (row < 1.5 * ratio ? 0.6 : 0.9) * (birth.ended == null ? 1 : 0.5);
      pen.fillRect(from, y - thick / 2, Math.max(ratio, to - from), thick);
    });
    pen.globalAlpha = 1;
  }
}
