// Threads by pattern, when each was born (the raster), how long each lives, and who starts them.

import { command, h, put, say } from '../dom.js';
import * as api from '../api.js';
import { bytes, count, durationShort, processName } from '../format.js';
import { labelled } from '../parts.js';
import { icicle } from '../chart/icicle.js';
import { Lifelines, Raster } from '../chart/births.js';
import { changed, state } from '../state.js';
import { Table } from '../table.js';
import * as words from '../words.js';
import { Page, choice } from './page.js';

const COLUMNS = [
  { label: 'Pattern', key: (row) => [row.pattern, row.chosen, location.search], cell: (row) => h('a', { href: changed({ pattern: row.chosen ? null : row.pattern }), 'aria-current': row.chosen ? 'true' : null, title: 'Show these alone', 'data-focus': `pattern-${row.pattern}` }, h('span', { class: `dot c${row.colour}`, 'aria-hidden': 'true' }), row.pattern || '(no name)') },
  { label: 'Count', num: true, cell: (row) => count(row.count) },
  { label: 'Births', class: 'grows', cell: words.births },
  { label: 'Cadence', cell: (row) => `${words.cadence(row)}${row.births === 'regular' && row.cadence.length === 1 ? words.phase(row.cadence[0].period_s, row.cadence[0].phase_s) : ''}` },
  { label: 'Oldest', num: true, cell: (row) => (row.oldest_age_s == null ? '-' : durationShort(row.oldest_age_s)) },
  { label: 'State', cell: (row) => words.threadState(row.states) },
  { label: 'Stack', num: true, cell: (row) => (row.stack_bytes_each == null ? '?' : bytes(row.stack_bytes_each)) },
  { label: 'Touched', num: true, cell: (row) => (row.stack_touched_bytes == null ? '?' : bytes(row.stack_touched_bytes)) },
  { label: 'Shape', cell: (row) => words.pool(row.pool_shape) },
];

/** Whom some threads work for: the objects on the way from the thread outwards. */
function owner(row) {
  const more = row.count > row.examples.length ? ' …' : '';
  return [
    h('h3', {}, `${row.count === 1 ? '' : `${count(row.count)} × `}${row.examples.slice(0, 3).join(', ')}${more}`),
    h(
      'dl',
      { class: 'facts' },
      row.links.map((one) => labelled(one.role, h('code', {}, one.class), h('span', { class: 'dim' }, ` .${one.path}${one.origin ? ` ${one.origin}` : ''}`))),
      labelled('made by', row.made_by.length > 0 && `code of ${row.made_by.join(', ')}`),
      labelled('schedule', row.schedules.join(' · ')),
    ),
  ];
}

/** Threads of one process. */
export default class Threads extends Page {
  build() {
    this.tabs = h('div', {});
    this.heading = h('h1', { tabindex: '-1' }, 'Threads');
    this.figures = h('p', { class: 'verdict' });
    this.table = new Table({ caption: 'Patterns of thread names', hideCaption: true, columns: COLUMNS, rowKey: (row) => row.pattern, rowClass: (row) => (row.births_per_s > 0 ? 'growing' : '') });
    this.quiet = h('p', { class: 'dim' });
    this.commandPlace = h('p', { class: 'as-command' });
    this.notes = h('div', { class: 'dim notes' });
    this.fold = choice('Fold by', 'raster', { minute: 'minute', hour: 'hour' }, 'minute');
    const handling = this.handling;
    this.raster = new Raster(handling);
    this.lifelines = new Lifelines(handling);
    this.stacks = h('div', {});
    this.owners = h('div', {});
    return [
      h('header', { class: 'head' }, this.heading, this.tabs, this.figures),
      h('section', { 'aria-labelledby': 'patterns-title' }, h('h2', { id: 'patterns-title' }, 'Patterns'), this.table.element, this.quiet, this.notes, this.commandPlace),
      h(
        'section',
        { 'aria-labelledby': 'births-title' },
        h('h2', { id: 'births-title' }, 'Births'),
        h('div', { class: 'bar' }, this.makeRangeBar(), h('span', { class: 'switch' }, h('span', { class: 'dim' }, 'one row is a '), this.fold.element)),
        h('div', { class: 'charts two' }, this.raster.element, this.lifelines.element),
      ),
      h('section', { 'aria-labelledby': 'stacks-title' }, h('h2', { id: 'stacks-title' }, 'Who starts them'), this.stacks),
      this.owners,
    ];
  }

  title() {
    return `Threads of ${this.name ?? ''}`;
  }

  load({ id }) {
    const { from, to } = this.params;
    return api.get(`/processes/${encodeURIComponent(id ?? '')}/threads`, { from, to }, 'threads');
  }

  fill(doc) {
    this.doc = doc;
    this.name = processName(doc.process);
    this.ranged(doc.range);
    say(this.heading, `Threads of ${this.name}`);
    const ended = doc.births.filter((birth) => birth.ended != null).length;
    say(this.figures, `${count(doc.threads)} threads${doc.groups.length ? ` in ${count(doc.groups.length)} patterns` : ''}${ended ? `; ${count(ended)} more were recorded and have ended` : ''}`);
    const chosen = state().pattern ?? null;
    const { all } = state();
    const rows = doc.groups.map((group, at) => ({ ...group, colour: at % 9, chosen: chosen === group.pattern }));
    const told = all ? rows : rows.filter((row) => row.count > 1 || row.births_per_s > 0 || row.chosen);
    this.table.element.hidden = !told.length;
    this.table.update(told);
    const left = rows.length - told.length;
    put(this.quiet, [left, location.search], () =>
      left > 0 || all ? [left > 0 ? `${count(left)} more of one thread each. ` : '', h('a', { href: changed({ all: all ? null : '1' }), 'data-focus': 'all' }, all ? 'Leave out those of one thread' : 'Show them')] : null,
    );
    const notes = doc.groups.flatMap((group) => [group.inferred, group.split_by].filter(Boolean).map((note) => `${group.pattern}: ${note}`)).concat(doc.remarks ?? []);
    put(this.notes, notes, () => notes.slice(0, 12).map((note) => h('p', {}, note)));
    put(this.commandPlace, [doc.process.pid, this.where], () => command(`flatfoot threads ${doc.process.pid}${this.where}`, { quiet: true }));
    this.fold.follow();
    const place = doc.groups.findIndex((group) => group.pattern === chosen);
    const view = { doc, range: this.shown(), chosen: place < 0 ? null : place, fold: this.fold.value === 'hour' ? 3600 : 60 };
    this.raster.update(view);
    this.lifelines.update(view);
    this.#stacks(doc);
    this.#owners(doc.owners ?? []);
  }

  #stacks({ stacks, process }) {
    put(this.stacks, [stacks, process.pid], () =>
      stacks
        ? icicle(stacks)
        : h('p', { class: 'empty' }, 'No birth was seen: reading alone names no code. Of a JVM ', command(`flatfoot diagnose ${process.pid} --access agent`), ' sees the next ones.'),
    );
  }

  #owners(list) {
    put(this.owners, list, () =>
      list.length
        ? h('section', {}, h('h2', {}, 'Whom they work for'), list.map(owner))
        : null,
    );
  }

  repaint() {
    super.repaint();
    this.raster.redraw();
    this.lifelines.redraw();
  }

  zoomTo(from, to) {
    this.raster.glide(from, to);
    this.lifelines.glide(from, to);
    super.zoomTo(from, to);
  }

  destroy() {
    super.destroy();
    this.raster.destroy();
    this.lifelines.destroy();
  }
}
