const MARGIN = 24;

/** Show the whole diagram with air around it, at most in its natural size; `left` px more stay free for tools. */
export function fitWithMargin(canvas, { left = 0 } = {}) {
  const { inner, outer } = canvas.viewbox();
  const free = outer.width - left;
  const scale = Math.min(1, free / (inner.width + 2 * MARGIN), outer.height / (inner.height + 2 * MARGIN));
  const [width, height] = [outer.width / scale, outer.height / scale];
  const x = inner.x + inner.width / 2 - (left + free / 2) / scale;
  canvas.viewbox({ x, y: inner.y + (inner.height - height) / 2, width, height });
}

/** Show this element in the middle, at this scale. */
export function centreOn(canvas, { x, y, width, height }, scale) {
  const { outer } = canvas.viewbox();
  const [wide, high] = [outer.width / scale, outer.height / scale];
  canvas.viewbox({ x: x + (width - wide) / 2, y: y + (height - high) / 2, width: wide, height: high });
}
