// bpmn-js knows the mouse only. One finger pans sideways (up and down stays with the page), two fingers pan and zoom.

const SCALE = { smallest: 0.2, largest: 3 };

export function followTouch(container, canvas) {
  let last = null;

  function follow(event) {
    const now = grip(event.touches, container.getBoundingClientRect());
    if (now && last && now.fingers === last.fingers) {
      canvas.scroll({ dx: now.x - last.x, dy: now.fingers === 2 ? now.y - last.y : 0 });
      if (now.fingers === 2) {
        const scale = canvas.zoom() * now.spread / last.spread;
        canvas.zoom(Math.min(SCALE.largest, Math.max(SCALE.smallest, scale)), { x: now.x, y: now.y });
        if (event.cancelable) event.preventDefault();
      }
    }
    last = now;
  }

  for (const kind of ['touchstart', 'touchmove', 'touchend', 'touchcancel']) container.addEventListener(kind, follow, { passive: false });
}

/** Where the fingers are: their middle, and how far they are apart. */
function grip(touches, frame) {
  if (touches.length !== 1 && touches.length !== 2) return null;
  const points = [...touches].map(touch => ({ x: touch.clientX - frame.left, y: touch.clientY - frame.top }));
  const [a, b = a] = points;
  return { fingers: points.length, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, spread: Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1) };
}
