/** Boxes as shares of the image: {x, y, width, height}, each from 0 to 1. Pure. */

export const LEAST_SHARE = 0.002;

const within = (value, least, most) => Math.min(most, Math.max(least, value));
const rounded = (value) => Math.round(value * 1e6) / 1e6;

/** Cut a box off at the edges of the image; null where nothing worth a box is left. */
export function cutToImage({ x, y, width, height }, least = LEAST_SHARE) {
  const left = within(x, 0, 1);
  const top = within(y, 0, 1);
  const right = within(x + width, 0, 1);
  const bottom = within(y + height, 0, 1);
  if (right - left < least || bottom - top < least) return null;
  return { x: rounded(left), y: rounded(top), width: rounded(right - left), height: rounded(bottom - top) };
}

/** Move a box by shares of the image; it stays whole and inside. */
export function moved({ x, y, width, height }, dx, dy) {
  return { x: rounded(within(x + dx, 0, 1 - width)), y: rounded(within(y + dy, 0, 1 - height)), width, height };
}

/** Move the right and the lower side of a box; the others stay. */
export function resized({ x, y, width, height }, dWidth, dHeight, least = LEAST_SHARE) {
  return {
    x, y,
    width: rounded(within(width + dWidth, Math.min(least, 1 - x), 1 - x)),
    height: rounded(within(height + dHeight, Math.min(least, 1 - y), 1 - y)),
  };
}

/** A new box in the middle of what is seen of the image (itself a box), a quarter of its sides. */
export function inTheMiddle(seen = { x: 0, y: 0, width: 1, height: 1 }) {
  const width = seen.width / 4;
  const height = seen.height / 4;
  return cutToImage({ x: seen.x + (seen.width - width) / 2, y: seen.y + (seen.height - height) / 2, width, height });
}

export function isSame(a, b) {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}

/** Where a box lies, in words for somebody who does not see it. */
export function inWords({ x, y, width, height }) {
  const percent = (share) => Math.round(share * 100);
  return `${percent(x)} from left, ${percent(y)} from top, ${percent(width)} wide, ${percent(height)} high, per cent`;
}
