// Draws the diagram of an instance wherever a page has a place for one; the viewer is fetched when it comes into view.

const SMALL = 320; // below this height the whole diagram cannot be read: show the place where things stand
const READABLE = 0.75;

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

async function draw(place) {
  const viewer = document.querySelector('[data-yl-viewer]').dataset.ylViewer;
  const [{ showInstance }, picture] = await Promise.all([
    import(viewer),
    fetch(place.dataset.ylDiagram, { headers: { Accept: 'application/json' } }).then(answer => { if (!answer.ok) throw new Error(answer.status); return answer.json(); }),
  ]);
  const steps = () => [...(place.closest('.yl-two, .yl-diagram-page')?.querySelectorAll('[data-yl-step]') || [])];
  const shown = await showInstance({
    canvas: place, xml: picture.xml, state: picture.state, lang: picture.lang,
    ...(place.clientHeight < SMALL && { readable: READABLE }),
    onSelect: id => steps().forEach(step => step.classList.toggle('yl-chosen', step.dataset.ylStep === id)),
  });
  place.dataset.ylReady = '';
  for (const step of steps()) {
    step.addEventListener('click', () => shown.select(step.dataset.ylStep));
    step.addEventListener('keydown', event => { if (event.key === 'Enter') shown.select(step.dataset.ylStep); });
  }
}
