// The memory map: classes, which sizes of mappings there are (a leak of stacks is a spike), and every mapping.

import { command, h, put, say } from '../dom.js';
import * as api from '../api.js';
import { bytes, count, processName, local, unix } from '../format.js';
import { histogram } from '../chart/histogram.js';
import { changed, go, link, state } from '../state.js';
import { Pager, Table, filterField } from '../table.js';
import { Page } from './page.js';

const ROWS = 50;
const maybe = (value) => (value == null ? '?' : bytes(value));

const CLASSES = [
  { label: 'Class', key: (row) => [row.class, location.search], cell: (row) => (row.class === 'total' ? 'total' : h('a', { href: changed({ class: state().class === row.class ? null : row.class, size: null, offset: null }), 'data-focus': `class-${row.class}`, 'aria-current': state().class === row.class ? 'true' : null, title: 'Show its mappings alone' }, row.class)) },
  { label: 'Maps', num: true, cell: (row) => count(row.maps) },
  { label: 'Reserved', num: true, cell: (row) => bytes(row.reserved_bytes) },
  { label: 'Committed', num: true, cell: (row) => `${row.exact ? '' : '~'}${bytes(row.committed_bytes)}` },
  { label: 'Touched', num: true, cell: (row) => maybe(row.touched_bytes) },
];

const MAPPINGS = [
  { label: 'Address', sort: 'address', ascending: true, key: (row) => row.start, cell: (row) => h('code', {}, row.start) },
  { label: 'Size', num: true, sort: 'size', cell: (row) => bytes(row.size_bytes) },
  { label: 'Touched', num: true, sort: 'touched', cell: (row) => maybe(row.touched_bytes) },
  { label: 'Perm', key: (row) => row.perms, cell: (row) => h('code', {}, row.perms) },
  { label: 'Class', cell: (row) => row.class },
  {
    label: 'Name',
    key: (row) => [row.name, row.thread, location.search],
    cell: (row) => (row.thread ? h('a', { href: link('threads', { id: state().id }), title: 'This thread’s stack' }, `${row.thread.name} ${row.thread.tid}`) : row.name),
  },
];

/** Mappings of one process. */
export default class MemoryMap extends Page {
  build() {
    this.tabs = h('div', {});
    this.heading = h('h1', { tabindex: '-1' }, 'Memory map');
    this.figures = h('p', { class: 'verdict' });
    this.classes = new Table({ caption: 'Memory by class', hideCaption: true, columns: CLASSES, rowKey: (row) => row.class, rowClass: (row) => (row.class === 'total' ? 'total' : '') });
    this.remarks = h('div', { class: 'dim notes' });
    this.histogram = h('div', {});
    this.filter = filterField({ label: 'Filter mappings by name or permissions', name: 'filter', placeholder: 'name or rw-p' });
    this.chosen = h('p', { class: 'chosen' });
    this.table = new Table({ caption: 'Mappings', hideCaption: true, columns: MAPPINGS, rowKey: (row) => row.start, sortBy: 'sort', sortDefault: 'address' });
    this.pager = new Pager(ROWS);
    this.commandPlace = h('p', { class: 'as-command' });
    return [
      h('header', { class: 'head' }, this.heading, this.tabs, this.figures),
      h(
        'div',
        { class: 'charts two' },
        h('section', { 'aria-labelledby': 'classes-title' }, h('h2', { id: 'classes-title' }, 'By class'), this.classes.element, this.remarks, this.commandPlace),
        h('section', { 'aria-labelledby': 'sizes-title' }, h('h2', { id: 'sizes-title' }, 'By size'), this.histogram),
      ),
      h('section', { 'aria-labelledby': 'mappings-title' }, h('div', { class: 'section-head' }, h('h2', { id: 'mappings-title' }, 'Mappings'), this.filter), this.chosen, this.table.element, this.pager.element),
    ];
  }

  title() {
    return `Memory map of ${this.name ?? ''}`;
  }

  load({ id, sort, filter, class: kind, size, offset }) {
    return api.get(`/processes/${encodeURIComponent(id ?? '')}/map`, { sort, filter, class: kind, size, offset, rows: ROWS }, 'map');
  }

  fill(doc) {
    this.name = processName(doc.process);
    say(this.heading, `Memory map of ${this.name}`);
    const at = typeof doc.at === 'string' ? unix(doc.at) : doc.at;
    say(this.figures, `${count(doc.total.maps)} mappings reserve ${bytes(doc.total.reserved_bytes)}, commit ${bytes(doc.total.committed_bytes)} and touch ${doc.total.touched_bytes == null ? 'an unknown part' : bytes(doc.total.touched_bytes)}${at ? `; ${local(at)}` : ''}`);
    this.classes.update([...doc.classes, doc.total].map((row) => ({ ...row, exact: doc.committed_exact })));
    const remarks = [...(doc.committed_exact ? [] : ['~ committed is derived from permissions; --detail full reads it']), ...(doc.remarks ?? [])];
    put(this.remarks, remarks, () => remarks.map((line) => h('p', {}, line)));
    put(this.commandPlace, doc.process.pid, () => command(`flatfoot map ${doc.process.pid}${this.where}`, { quiet: true }));
    put(this.histogram, [doc.histogram, location.search], () => histogram(doc.histogram, state().size ?? null, (size) => changed({ size: state().size === size ? null : size, offset: null })));
    this.#chosen();
    this.filter.follow();
    this.table.update(doc.mappings.rows);
    this.pager.update(doc.mappings.matching, doc.mappings.rows.length);
  }

  #chosen() {
    const { class: kind, size } = state();
    const words = [kind && `class ${kind}`, size != null && `size ${bytes(size)}`].filter(Boolean);
    put(this.chosen, words, () => (words.length ? [`Only ${words.join(', ')} `, h('button', { type: 'button', class: 'tool', onclick: () => go({ class: null, size: null, offset: null }) }, 'Show all')] : null));
  }
}
