// What changed for this person, as the server says it: one stream for all open tabs, told on by the tab that holds it.
//
// Each event becomes `yl:live-<kind>` on the body; inbox counts also go to the marks of the sidebar and to elements with
// data-live-count="open" (or "cc"), and a notice to the bell. Without Web Locks (plain http) the counts are asked for every half minute instead.
import { showCount } from 'yl';

const STREAM = '/api/v1/live';
const COUNTS = '/api/v1/work-items/counts';
const BELL = '/api/v1/notices/counts';
const KINDS = ['inbox', 'notice', 'comment', 'call', 'agent', 'board', 'resync'];
const POLL = 30_000; // ms between two questions when there is no stream
const AGAIN = 60_000; // ms until a refused stream is tried again
const NAME = 'yl-live';

let counts = shownCounts();

/** What the page was rendered with. */
function shownCounts() {
  const mark = document.querySelector('[data-yl-count="inbox"]');
  return { open: mark && !mark.hidden ? Number(mark.textContent) || 0 : 0 };
}

function tell(kind, data) {
  if (data.unread !== undefined) showCount('notice', data.unread);
  if (kind === 'inbox') {
    counts = data;
    showCount('inbox', data.open);
    for (const element of document.querySelectorAll('[data-live-count]')) element.textContent = data[element.dataset.liveCount] ?? '';
  }
  document.body.dispatchEvent(new CustomEvent(`yl:live-${kind}`, { detail: data, bubbles: true }));
}

/** A greeting says how things are, not that something happened: it is news only when the page shows something else. */
const isNews = data => data.open !== counts.open || (counts.cc !== undefined && data.cc !== counts.cc);

/** The hint, with the number of unread notices as it is now; the hint alone when it cannot be learned. */
async function ringBell(data) {
  const answer = await fetch(BELL, { headers: { Accept: 'application/json' } }).catch(() => null);
  return answer?.ok ? { ...data, ...await answer.json() } : data;
}

// ------------------------------------------------------------------------------------------------ the stream

function lead(channel) {
  let source;
  const listen = () => {
    source = new EventSource(STREAM);
    let greeted = false;
    source.onopen = () => { greeted = false; };
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN); };
    for (const kind of KINDS) {
      source.addEventListener(kind, event => {
        const data = JSON.parse(event.data);
        if (kind === 'notice' || kind === 'resync') return ringBell(data).then(told => { channel.postMessage({ kind, data: told }); tell(kind, told); });
        const greeting = kind === 'inbox' && !greeted;
        greeted ||= kind === 'inbox';
        if (greeting && !isNews(data)) return;
        channel.postMessage({ kind, data });
        tell(kind, data);
      });
    }
  };
  listen();
  addEventListener('pagehide', () => source.close());
  addEventListener('pageshow', event => { if (event.persisted) listen(); });
}

// ------------------------------------------------------------------------------------------------ without a stream

async function ask() {
  if (document.hidden) return;
  try {
    const answer = await fetch(COUNTS, { headers: { Accept: 'application/json' } });
    const data = answer.ok ? await answer.json() : counts;
    if (isNews(data)) tell('inbox', data);
    const bell = await ringBell({});
    const shown = document.querySelector('[data-yl-count="notice"]');
    if (bell.unread !== undefined && shown && bell.unread !== (shown.hidden ? 0 : Number(shown.textContent))) tell('notice', bell);
  } catch { /* away; the next question may get through */ }
}

function poll() {
  setInterval(ask, POLL);
  document.addEventListener('visibilitychange', ask);
}

if (navigator.locks && 'BroadcastChannel' in window) {
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data: { kind, data } }) => tell(kind, data);
  navigator.locks.request(NAME, () => { lead(channel); return new Promise(() => {}); }); // held as long as the tab lives
} else poll();
