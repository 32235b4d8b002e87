// Colours of charts, from the style sheet: a theme changes there and nowhere else. What grows is red, whatever it is;
// what nobody explains is hatched grey; the others are quiet and only told apart.

const HUES = 9;

let cache = new Map();

/** A custom property of the style sheet. */
export function css(name) {
  if (!cache.has(name)) cache.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return cache.get(name);
}

/** The theme changed: read the style sheet again. */
export function forget() {
  cache = new Map();
}

const FIXED = {
  unexplained: '--s-unexplained',
  others: '--s-others',
  limit: '--limit',
  memory: '--s-before',
  before: '--s-before',
  after: '--s0',
};

/** The custom property for each series of a chart. */
export function colours(doc) {
  const leaks = doc.growth?.rate_per_s > 0 ? doc.growth.series : null;
  let next = 0;
  const chosen = new Map();
  for (const { name } of doc.series) {
    if (name === leaks) chosen.set(name, '--leak');
    else if (FIXED[name]) chosen.set(name, FIXED[name]);
    else chosen.set(name, `--s${next++ % HUES}`);
  }
  return chosen;
}

/** A colour of the style sheet (`#rrggbb`) with some of it taken away. */
export function faint(colour, share) {
  const parts = /^#(..)(..)(..)$/.exec(colour);
  if (!parts) return colour;
  return `rgba(${parts.slice(1).map((hex) => parseInt(hex, 16)).join(', ')}, ${share})`;
}

const hatches = new Map();

/** A pattern of thin diagonals, for what is not known. */
export function hatch(context, colour) {
  if (!hatches.has(colour)) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = 8;
    const pen = tile.getContext('2d');
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const shift of [-8, 0, 8]) {
      pen.moveTo(shift, 8);
      pen.lineTo(shift + 8, 0);
    }
    pen.stroke();
    hatches.set(colour, context.createPattern(tile, 'repeat'));
  }
  return hatches.get(colour);
}
