// A line of a few dozen values in a table's cell: only the shape matters. Decoration for who sees it; its words are in the cell.

import { amount } from './format.js';
import { svg } from './dom.js';

const WIDTH = 96;
const HEIGHT = 22;

/** Of `{unit, values}`; null when there are too few. */
export function spark(series, grows) {
  const values = (series?.values ?? []).map((value) => (Number.isFinite(value) ? value : null));
  const known = values.filter((value) => value != null);
  if (known.length < 2) return null;
  const low = Math.min(...known);
  const span = Math.max(...known) - low;
  // A change of less than 5 % is drawn as the little that it is.
  const scale = Math.max(span, Math.abs(low) * 0.05) || 1;
  const at = (value, index) =>
    `${((index / (values.length - 1)) * (WIDTH - 4) + 2).toFixed(1)},${(HEIGHT - 3 - ((value - low) / scale) * (HEIGHT - 6)).toFixed(1)}`;
  const parts = [];
  let part = [];
  values.forEach((value, index) => {
    if (value == null) part = [];
    else {
      if (!part.length) parts.push(part);
      part.push(at(value, index));
    }
  });
  const label = `${amount(series.unit, known[0])} to ${amount(series.unit, known.at(-1))}`;
  const end = known.length && values.at(-1) != null ? at(values.at(-1), values.length - 1).split(',') : null;
  return svg(
    'svg',
    { class: grows ? 'spark grows' : 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: 'img', 'aria-label': label },
    parts.map((points) => svg('polyline', { points: points.length > 1 ? points.join(' ') : `${points[0]} ${points[0]}` })),
    end && svg('circle', { cx: end[0], cy: end[1], r: 2 }),
  );
}
