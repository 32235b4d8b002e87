// Elements made of data. What comes from a process (names, paths, commands) is hostile: it only ever becomes text, with
// control characters and the marks that reorder text shown as escapes, as the command line does (model::Text).

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const NAMED = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text as it may be shown. */
export function clean(text) {
  return String(text ?? '').replace(UNSAFE, (c) => NAMED[c] ?? `\\u{${c.codePointAt(0).toString(16)}}`);
}

/**
 * An element: `h('p', {class: 'dim', onclick: f}, 'text', child, null)`. Strings become text nodes; null and false are
 * left out. There is no way to give it markup.
 */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value == null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else element.setAttribute(name, clean(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child == null || child === false) continue;
    element.append(child instanceof Node ? child : clean(child));
  }
}

/** Replaces what is in an element; left alone when `key` says that nothing changed, so that focus and selection stay. */
export function put(element, key, make) {
  const text = typeof key === 'string' ? key : JSON.stringify(key);
  if (element.shownKey === text) return;
  element.shownKey = text;
  const focus = focusOf(element);
  element.replaceChildren();
  append(element, [make()]);
  focus?.();
}

/** Sets text only where it changed. */
export function say(element, text) {
  const shown = clean(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** Brings the focus back to the element with the same `data-focus` after a part was written anew. */
function focusOf(element) {
  const had = document.activeElement;
  if (!had || !element.contains(had)) return null;
  const name = had.dataset?.focus;
  return name ? () => element.querySelector(`[data-focus="${CSS.escape(name)}"]`)?.focus({ preventScroll: true }) : null;
}

/**
 * Brings the children of `parent` in line with `items`: those with a key that is there already are kept and updated in
 * place, so that focus, selection and scrolling stay.
 */
export function keyed(parent, items, key, make, update) {
  const had = parent.contains(document.activeElement) ? document.activeElement : null;
  const old = new Map();
  for (const child of [...parent.children]) old.set(child.dataset.key, child);
  let at = parent.firstElementChild;
  const seen = new Map();
  for (const item of items) {
    // Things of the same name (three patterns `java`) are told apart by their order.
    const plain = clean(key(item));
    const again = seen.get(plain) ?? 0;
    seen.set(plain, again + 1);
    const name = again ? `${plain}\u0001${again}` : plain;
    let child = old.get(name);
    if (child) old.delete(name);
    else {
      child = make(item);
      child.dataset.key = name;
    }
    update?.(child, item);
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  for (const child of old.values()) child.remove();
  // What is moved loses the focus.
  if (had?.isConnected && had !== document.activeElement) had.focus({ preventScroll: true });
}

let announcer;

/** Says something to who cannot see the page, when there is time for it. */
export function announce(text) {
  announcer ??= document.getElementById('announcer');
  if (announcer) announcer.textContent = clean(text);
}

/** A button that copies a command, with the command beside it. */
export function command(text, { label = 'Copy', quiet = false } = {}) {
  const button = h('button', { type: 'button', class: 'copy', 'aria-label': `Copy the command ${text}`, title: 'Copy' }, label);
  button.addEventListener('click', () => copy(text, button, label));
  return h('span', { class: quiet ? 'command quiet' : 'command' }, h('code', {}, text), button);
}

async function copy(text, button, label) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = select(button.previousElementSibling);
  }
  button.textContent = done ? 'Copied' : 'Ctrl-C';
  announce(done ? 'Copied' : 'Selected: press Ctrl-C to copy');
  setTimeout(() => (button.textContent = label), 1500);
}

/** Where the clipboard is not to be had (plain http on another name): mark it, the rest is Ctrl-C. */
function select(element) {
  getSelection().selectAllChildren(element);
  return false;
}
