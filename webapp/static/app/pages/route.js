// The way a request will take, asked of the server while the form is filled in.
import { csrfToken } from 'yl';

const PAUSE = 500; // ms after the last key

export function route(form) {
  const address = form.dataset.ylRouteUrl, place = document.getElementById('yl-route');
  let timer = 0, asked = null;

  async function ask() {
    asked?.abort();
    asked = new AbortController();
    place.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(address, { method: 'POST', body: new FormData(form), signal: asked.signal, headers: { 'X-CSRFToken': csrfToken() } });
      if (answer.ok) place.innerHTML = await answer.text();
      place.removeAttribute('aria-busy');
    } catch { /* replaced by a newer question, or offline: the old answer stays */ }
  }

  return (pause = PAUSE) => {
    if (!address || !place) return;
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  };
}
