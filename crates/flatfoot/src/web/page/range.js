// The time that is looked at: what the URL says of it, as parameters of a request and as buttons.

import { h, put } from './dom.js';
import { duration, minute } from './format.js';
import { RANGES, changed, go, state } from './state.js';

/** The shortest span that can be zoomed to. */
const SHORTEST_S = 10;

/** What the server is asked for, `{from, to}`; `now` is the server's time, `recorded` what it has. */
export function asked(looked, now, recorded) {
  if (looked.from != null || looked.to != null) return { from: looked.from, to: looked.to };
  if (looked.last === 'all') return { from: recorded?.from ?? 0 };
  const span = looked.last ? RANGES[looked.last] : null;
  return span ? { from: now - span } : {};
}

/** Does the picture go on by itself? */
export function follows(looked) {
  return looked.to == null;
}

/** Looks at a part: a step in the history. `last` stays, to come back to. */
export function zoom(from, to, now) {
  const span = Math.max(SHORTEST_S, to - from);
  const middle = (from + to) / 2;
  const [start, end] = [middle - span / 2, middle + span / 2];
  // What reaches into the future looks at now.
  const live = now != null && end >= now;
  go({ from: round(live && start > now - SHORTEST_S ? now - span : start), to: live ? null : round(end), offset: null });
}

/** Back to the range that was chosen. */
export function reset() {
  const { from, to } = state();
  if (from != null || to != null) go({ from: null, to: null });
  else go({ last: null });
}

/** Zooms by a factor around the middle (around now, when it is looked at), or shifts by a share of what is seen. */
export function step(shown, factor, shift, now) {
  if (!shown) return;
  const span = (shown.to - shown.from) * factor;
  const live = follows(state()) && shift === 0;
  const end = live ? shown.to : (shown.from + shown.to + span) / 2 + shift * (shown.to - shown.from);
  zoom(end - span, live ? Math.max(end, now ?? end) : end, now);
}

const round = (at) => Math.round(at * 10) / 10;

/** The bar with the ranges; `page` tells what is shown and the server's time. */
export class RangeBar {
  constructor(page) {
    const tool = (label, name, run) => h('button', { type: 'button', class: 'tool', 'aria-label': name, title: name, onclick: run }, label);
    const by = (factor, shift) => () => step(page.shown(), factor, shift, page.now());
    this.choices = h('span', { class: 'choices', role: 'group', 'aria-label': 'Time range' });
    this.text = h('span', { class: 'shown-range' });
    this.back = tool('Reset', 'Back to the range that was chosen (0)', reset);
    this.element = h(
      'div',
      { class: 'range', role: 'region', 'aria-label': 'Time' },
      this.choices,
      h('span', { class: 'tools', role: 'group', 'aria-label': 'Move and zoom' }, tool('←', 'Earlier', by(1, -0.5)), tool('→', 'Later', by(1, 0.5)), tool('−', 'Zoom out (-)', by(2, 0)), tool('+', 'Zoom in (+)', by(0.5, 0)), this.back),
      this.text,
    );
  }

  /** Shows what is looked at. */
  update(shown, live) {
    const looked = state();
    const zoomed = looked.from != null || looked.to != null;
    // Without a choice it is an hour (of a finding a day), or all there is.
    const span = shown ? shown.to - shown.from : 0;
    const chosen = looked.last ?? Object.keys(RANGES).find((name) => RANGES[name] && Math.abs(span / RANGES[name] - 1) < 0.02);
    this.back.hidden = !zoomed && !looked.last;
    put(this.choices, [looked, chosen], () =>
      Object.keys(RANGES).map((name) =>
        h('a', { href: changed({ last: name, from: null, to: null, offset: null }), 'data-focus': `range-${name}`, 'aria-current': !zoomed && chosen === name ? 'true' : null }, name),
      ),
    );
    const words = shown ? `${minute(shown.from)} – ${live ? 'now' : minute(shown.to)}, ${duration(shown.to - shown.from)}` : '';
    if (this.text.textContent !== words) this.text.textContent = words;
  }
}
