// A diagram in the middle of a page must not swallow the wheel: it zooms with Ctrl held, otherwise the page scrolls.

const STEP = 0.02;

export function wheelZoomsOnlyWithCtrl(container, zoomScroll) {
  container.addEventListener('wheel', event => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const frame = container.getBoundingClientRect();
    zoomScroll.zoom(-event.deltaY * STEP, { x: event.clientX - frame.left, y: event.clientY - frame.top });
  }, { passive: false });
}
