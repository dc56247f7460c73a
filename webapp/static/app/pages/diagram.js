// Draws the diagram of an instance wherever a page has a place for one; the viewer is fetched when it comes into view.

const SMALL = 320; // below this height the whole diagram cannot be read: show the place where things stand
const READABLE = 0.75;
const drawn = new WeakMap(); // place -> its viewer

export function drawDiagrams(scope = document) {
  for (const place of scope.querySelectorAll('[data-yl-diagram]:not([data-yl-drawn])')) {
    place.dataset.ylDrawn = '';
    new IntersectionObserver((seen, observer) => {
      if (!seen.some(one => one.isIntersecting)) return;
      observer.disconnect();
      draw(place).catch(() => { place.hidden = true; }); // the steps stand beside it as text
    }, { rootMargin: '200px' }).observe(place);
  }
}

/** Show the present state on a diagram that is drawn already: it keeps its place and scale. */
export async function updateDiagram(place) {
  const shown = drawn.get(place);
  if (shown) shown.update((await picture(place)).state);
}

const picture = place => fetch(place.dataset.ylDiagram, { headers: { Accept: 'application/json' } })
  .then(answer => { if (!answer.ok) throw new Error(answer.status); return answer.json(); });
const around = element => element.closest('.yl-two, .yl-diagram-page');

async function draw(place) {
  const viewer = document.querySelector('[data-yl-viewer]').dataset.ylViewer;
  const [{ showInstance }, { xml, state, lang }] = await Promise.all([import(viewer), picture(place)]);
  const shown = await showInstance({
    canvas: place, xml, state, lang,
    ...(place.clientHeight < SMALL && { readable: READABLE }),
    onSelect: id => around(place)?.querySelectorAll('[data-yl-step]').forEach(step => step.classList.toggle('yl-chosen', step.dataset.ylStep === id)),
  });
  drawn.set(place, shown);
  place.dataset.ylReady = '';
}

function choose(event) {
  const step = event.target.closest?.('[data-yl-step]');
  const place = step && around(step)?.querySelector('[data-yl-diagram]');
  if (place) drawn.get(place)?.select(step.dataset.ylStep);
}
document.addEventListener('click', choose);
document.addEventListener('keydown', event => { if (event.key === 'Enter') choose(event); });
