// The wallboard between two refreshes: times go on, by the clock of the server.
const two = number => String(number).padStart(2, '0');

/** Seconds as a clock shows them. */
function clock(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  return hours ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

let board, ahead = 0; // ms this browser's clock is ahead of the server's

function tick() {
  const shown = document.getElementById('yl-board');
  if (shown && shown !== board) { board = shown; ahead = Date.now() - Date.parse(shown.dataset.ylNow); }
  const now = Date.now() - ahead;
  for (const one of document.querySelectorAll('[data-yl-since]')) {
    one.textContent = clock(Math.max(0, Math.floor((now - Date.parse(one.dataset.ylSince)) / 1000)));
  }
  const wall = document.querySelector('[data-yl-clock]');
  if (wall) wall.textContent = new Date(now).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Shanghai' });
}

tick();
setInterval(tick, 1000);
