// Spawn stacks as an icicle: who started the threads, from the outermost frame down; the width is how many births it had.
// Each frame is a button: the keyboard reaches it, a click shows its part alone.

import { announce, h } from '../dom.js';
import { count, percent } from '../format.js';

/** Narrower than this share of the whole, frames are summed up. */
const SMALLEST = 0.004;
const DEEPEST = 48;

/** The picture of `{name, value, children}`. */
export function icicle(root) {
  const trail = [root];
  const place = h('div', { class: 'icicle' });
  const path = h('p', { class: 'dim' });
  const draw = (focus) => {
    const top = trail.at(-1);
    path.replaceChildren(
      ...(trail.length > 1
        ? [h('button', { type: 'button', class: 'tool', onclick: () => (trail.splice(1), draw(true)) }, 'Show all'), ` ${count(top.value)} of ${count(root.value)} births, ${percent(top.value / Math.max(1, root.value))}`]
        : [`${count(root.value)} births; a click shows a part alone`]),
    );
    place.replaceChildren(node(top, top.value, 0, (chosen) => {
      if (chosen === top) return;
      trail.push(chosen);
      announce(`${chosen.name}: ${count(chosen.value)} births`);
      draw(true);
    }));
    if (focus) place.querySelector('button')?.focus();
  };
  draw(false);
  return h('div', { class: 'icicle-box' }, path, h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': 'Spawn stacks' }, place));
}

function node(frame, whole, depth, onChoose) {
  const words = `${frame.name}: ${count(frame.value)} births${frame.origin ? `, ${frame.origin}` : ''}`;
  const button = h('button', { type: 'button', class: `frame ${frame.role ?? ''}`, title: words, onclick: () => onChoose(frame) }, h('span', {}, frame.name), ' ', h('span', { class: 'dim' }, count(frame.value)));
  const children = [...(frame.children ?? [])].sort((a, b) => b.value - a.value);
  const shown = depth < DEEPEST ? children.filter((child) => child.value / Math.max(1, whole) >= SMALLEST) : [];
  const row = h('div', { class: 'row' }, shown.map((child) => {
    const element = node(child, whole, depth + 1, onChoose);
    element.style.setProperty('flex-grow', String(child.value));
    return element;
  }));
  const rest = frame.value - shown.reduce((sum, child) => sum + child.value, 0);
  if (shown.length && rest > 0) {
    const filler = h('div', { class: 'node' });
    filler.style.setProperty('flex-grow', String(rest));
    row.append(filler);
  }
  return h('div', { class: 'node' }, button, shown.length > 0 && row);
}
