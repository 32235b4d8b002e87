// A table of figures whose rows are kept while they change, so that focus, selection and scrolling stay. Sorting and paging
// are the server's: headers and page buttons only change the URL.

import { h, keyed, put, say } from './dom.js';
import { count } from './format.js';
import { changed, go, state } from './state.js';

/**
 * `columns`: `{label, num, sort, title, cell(row) → text or node, key(row)}`; `sort` is the value of the parameter `sortBy`
 * for that column. `rowKey(row)` names a row.
 */
export class Table {
  constructor({ caption, columns, rowKey, sortBy, sortDefault, hideCaption, rowClass }) {
    Object.assign(this, { columns, rowKey, sortBy, sortDefault, rowClass });
    this.caption = h('caption', { class: hideCaption ? 'hidden' : null }, caption);
    this.head = h('tr', {});
    this.body = h('tbody', {});
    this.element = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Table: ${caption}` }, h('table', {}, this.caption, h('thead', {}, this.head), this.body));
  }

  update(rows) {
    this.#headers();
    keyed(this.body, rows, this.rowKey, (row) => this.#row(row), (element, row) => this.#cells(element, row));
  }

  #headers() {
    const by = this.sortBy ? (state()[this.sortBy] ?? this.sortDefault) : null;
    put(this.head, [by], () =>
      this.columns.map((column) => {
        const active = column.sort && column.sort === by;
        const label = column.sort
          ? h('button', { type: 'button', class: 'sort', 'data-focus': `sort-${column.sort}`, onclick: () => go({ [this.sortBy]: column.sort === this.sortDefault ? null : column.sort, offset: null }, { replace: true }) }, column.label, h('span', { 'aria-hidden': 'true' }, active ? (column.ascending ? ' ▴' : ' ▾') : ''))
          : column.label;
        return h('th', { scope: 'col', class: column.num ? 'num' : null, title: column.title, 'aria-sort': active ? (column.ascending ? 'ascending' : 'descending') : null }, label);
      }),
    );
  }

  #row() {
    return h('tr', {}, this.columns.map((column, at) => (at === 0 ? h('th', { scope: 'row', class: column.num ? 'num' : null }) : h('td', { class: column.num ? 'num' : column.class }))));
  }

  #cells(element, row) {
    if (this.rowClass) element.className = this.rowClass(row) ?? '';
    this.columns.forEach((column, at) => {
      const cell = element.children[at];
      const made = column.key ? null : column.cell(row);
      if (made == null || made instanceof Node || column.key) put(cell, column.key ? column.key(row) : String(made), () => [column.key ? column.cell(row) : made]);
      else say(cell, made);
    });
  }
}

/** Before and after: `1–50 of 212`. */
export class Pager {
  constructor(rows) {
    this.rows = rows;
    this.element = h('nav', { class: 'pager', 'aria-label': 'Pages of the table' });
  }

  update(matching, shown) {
    const offset = state().offset ?? 0;
    put(this.element, [matching, shown, location.search], () => {
      const to = offset + shown;
      const of = state().filter ? `${count(matching)} that match` : count(matching);
      const words = shown ? `${count(offset + 1)}–${count(to)} of ${of}` : `none of ${of}`;
      const turn = (at, label, name) =>
        at == null ? null : h('a', { class: 'tool', href: changed({ offset: at || null }), 'data-focus': name, rel: name }, label);
      return [
        h('span', {}, words),
        turn(offset > 0 ? Math.max(0, offset - this.rows) : null, '← Before', 'prev'),
        turn(to < matching ? to : null, 'More →', 'next'),
      ];
    });
  }
}

/** A field that filters as one types, into a parameter of the URL. */
export function filterField({ label, name, placeholder }) {
  let timer;
  const input = h('input', { type: 'search', name, placeholder, 'aria-label': label, autocomplete: 'off', spellcheck: 'false' });
  input.addEventListener('input', () => {
    clearTimeout(timer);
    // Another part may be shown by then.
    timer = setTimeout(() => input.isConnected && go({ [name]: input.value.trim() || null, offset: null }, { replace: true }), 200);
  });
  input.follow = () => {
    if (document.activeElement !== input) input.value = state()[name] ?? '';
  };
  return input;
}
