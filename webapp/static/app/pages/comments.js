// The talk about a record: writing, mentioning with @, files, answering, mending, voiding; news arrives by itself.
//
// The part may stand inside the form of a decision. So nothing typed here reaches that form: its controls belong to no
// form, its events end at the part, and what is sent goes by a request of its own.
import { confirm, csrfToken, icon, toast, words } from 'yl';
import { uploads } from './upload.js';

const RAW = '[data-yl-comments]:not([data-yl-ready])';
const HTML = 'text/html';

function prepare(part) {
  part.dataset.ylReady = '';
  const find = selector => part.querySelector(selector);
  const composer = find('[data-yl-composer]'), area = find('[data-yl-text]'), list = find('[data-yl-pick]');
  const url = part.dataset.ylComments, memory = `yl-comment ${url}`;
  const picked = new Map(Object.entries(JSON.parse(composer.dataset.ylPicked)));
  let submission = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

  // ---------------------------------------------------------------------------------------------- what is typed
  const grow = () => { area.style.height = 'auto'; if (area.scrollHeight) area.style.height = `${Math.min(area.scrollHeight + 2, 220)}px`; };
  function keep() {
    if (composer.dataset.ylEditing) return;
    try { sessionStorage.setItem(memory, JSON.stringify({ text: area.value, picked: [...picked] })); } catch { /* a full or forbidden store keeps nothing */ }
  }
  function recall() {
    let kept;
    try { kept = JSON.parse(sessionStorage.getItem(memory)); } catch { return; }
    if (!kept || area.value) return;
    area.value = kept.text;
    for (const [id, name] of kept.picked) picked.set(id, name);
  }
  const forget = () => { try { sessionStorage.removeItem(memory); } catch { /* nothing was kept */ } };

  function about(text) {
    const line = find('[data-yl-about]');
    line.hidden = !text;
    line.querySelector('output').textContent = text;
    const label = find('[data-yl-say]');
    label.querySelector('span').textContent = composer.dataset.ylEditing ? label.dataset.ylSayChange : label.dataset.ylSayNew;
  }
  function begin({ editing = '', revision = '', reply = '', text = '', people = {}, line = '' }) {
    Object.assign(composer.dataset, { ylEditing: editing, ylRevision: revision, ylReply: reply });
    if (editing) { picked.clear(); area.value = text; }
    for (const [id, name] of Object.entries(people)) picked.set(id, name);
    about(line);
    grow();
    area.focus();
  }

  // ---------------------------------------------------------------------------------------------- sending
  async function send(address, values) {
    const body = new FormData();
    for (const [name, value] of values) body.append(name, value);
    part.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(address, { method: 'POST', body, headers: { 'X-CSRFToken': csrfToken(), 'HX-Request': 'true', Accept: HTML } });
      const text = await answer.text();
      if (answer.status === 401) return location.reload();
      if (!text.trimStart().startsWith('<section')) return toast(words.failed, 'danger');
      if (answer.ok) forget();
      const fresh = new DOMParser().parseFromString(text, HTML).body.firstElementChild;
      part.replaceWith(fresh);
      prepare(fresh);
      fresh.querySelector(answer.ok ? '.yl-comment:last-child' : '[role=alert]')?.scrollIntoView({ block: 'nearest' });
    } catch {
      toast(words.failed, 'danger');
    } finally {
      part.removeAttribute('aria-busy');
    }
  }
  function say(copies = false) {
    if (part.hasAttribute('aria-busy')) return; // a second click sends nothing
    if (!area.value.trim()) return area.focus();
    const values = [['text', area.value], ['submission', submission], ['editing', composer.dataset.ylEditing], ['revision', composer.dataset.ylRevision], ['reply_to', composer.dataset.ylReply]];
    for (const [id, name] of picked) if (area.value.includes(`@${name}`)) values.push(['person', id]);
    for (const file of composer.querySelectorAll('input[name=file]')) values.push(['file', file.value]);
    if (copies) values.push(['send_copy', '1']);
    send(url, values.filter(([, value]) => value));
  }

  // ---------------------------------------------------------------------------------------------- @
  let asked = 0, offered = [];
  const typedName = () => /(?:^|[^\w])@([^\s@]{0,20})$/u.exec(area.value.slice(0, area.selectionStart))?.[1];
  const close = () => { list.hidden = true; offered = []; area.removeAttribute('aria-activedescendant'); };
  async function offer() {
    const name = typedName(), turn = ++asked;
    if (name === undefined || [...picked.values()].includes(name)) return close();
    const answer = await fetch(`${part.dataset.ylPeople}?q=${encodeURIComponent(name)}`, { headers: { Accept: 'application/json' } }).catch(() => null);
    const found = answer?.ok ? await answer.json() : [];
    if (turn !== asked) return; // typed on meanwhile
    offered = found.slice(0, 8);
    list.replaceChildren(...offered.map(({ value, text }, number) => {
      const line = document.createElement('li');
      Object.assign(line, { id: `yl-pick-${value}`, textContent: text, role: 'option' });
      line.dataset.ylPerson = number;
      return line;
    }));
    if (!offered.length) list.append(Object.assign(document.createElement('li'), { textContent: words.nothing_found, className: 'yl-muted' }));
    list.hidden = false;
    point(0);
  }
  function point(number) {
    const lines = [...list.querySelectorAll('[role=option]')];
    if (!lines.length) return;
    const chosen = (number + lines.length) % lines.length;
    lines.forEach((line, at) => line.setAttribute('aria-selected', at === chosen));
    area.setAttribute('aria-activedescendant', lines[chosen].id);
    lines[chosen].scrollIntoView({ block: 'nearest' });
  }
  const pointed = () => [...list.querySelectorAll('[role=option]')].findIndex(line => line.getAttribute('aria-selected') === 'true');
  function pick(number) {
    const { value, text } = offered[number], end = area.selectionStart, start = end - typedName().length;
    picked.set(value, text);
    area.setRangeText(`${text} `, start, end, 'end');
    close();
    area.focus();
    keep();
  }

  // ---------------------------------------------------------------------------------------------- events
  for (const kind of ['input', 'change', 'keydown', 'focusin', 'focusout']) part.addEventListener(kind, event => event.stopPropagation());
  area.addEventListener('input', () => { grow(); keep(); offer(); });
  area.addEventListener('blur', () => setTimeout(close, 150));
  area.addEventListener('keydown', event => {
    if (event.isComposing) return; // Enter chooses a Chinese word
    if (!list.hidden && offered.length) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) { event.preventDefault(); return point(pointed() + step); }
      if (event.key === 'Enter' || event.key === 'Tab') { event.preventDefault(); return pick(pointed()); }
    }
    if (event.key === 'Escape' && !list.hidden) { event.preventDefault(); return close(); }
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); say(); }
  });
  list.addEventListener('mousedown', event => {
    event.preventDefault(); // the text keeps the focus
    const line = event.target.closest('[data-yl-person]');
    if (line) pick(Number(line.dataset.ylPerson));
  });
  uploads(composer, JSON.parse(composer.dataset.ylWords));

  const dialog = find('[data-yl-void-ask]');
  part.addEventListener('click', async event => {
    const on = name => event.target.closest(`[data-yl-${name}]`);
    const older = on('older'), answered = on('answer'), mended = on('mend'), voided = on('void');
    if (on('say')) say();
    else if (on('send-copy')) say(true);
    else if (on('at')) {
      area.focus();
      area.setRangeText(/[\w@]$/.test(area.value.slice(0, area.selectionStart)) ? ' @' : '@', area.selectionStart, area.selectionEnd, 'end');
      offer();
    } else if (answered) {
      begin({ reply: answered.dataset.ylAnswer, line: `${answered.textContent}: ${answered.dataset.ylWho}` });
    } else if (mended) {
      if (area.value.trim() && !await confirm(words.unsaved)) return;
      const said = JSON.parse(mended.dataset.ylSaid);
      begin({ editing: mended.dataset.ylMend, revision: said.revision, text: said.text, people: said.people, line: mended.textContent });
    } else if (on('about-end')) {
      if (composer.dataset.ylEditing) { area.value = ''; picked.clear(); }
      begin({});
    } else if (voided) {
      dialog.dataset.ylUrl = voided.dataset.ylVoid;
      dialog.showModal();
    } else if (on('void-no')) dialog.close();
    else if (on('void-yes')) {
      const reason = dialog.querySelector('textarea');
      if (!reason.value.trim()) return reason.focus();
      dialog.close();
      send(dialog.dataset.ylUrl, [['reason', reason.value]]);
    } else if (older) {
      const text = await fragment(`${url}/list?before=${older.dataset.ylOlder}`);
      if (text === null) return;
      const earlier = new DOMParser().parseFromString(text, HTML).body, talk = find('.yl-talk');
      talk.prepend(...earlier.querySelectorAll('.yl-comment'));
      const further = earlier.querySelector('[data-yl-older]');
      if (further) older.replaceWith(further); else older.remove();
    }
  });

  part.ylNews = async () => {
    const text = await fragment(`${url}/list`);
    if (text === null || !part.isConnected) return;
    const fresh = new DOMParser().parseFromString(text, HTML).body, talk = find('.yl-talk');
    const number = fresh.querySelector('.yl-talk').dataset.ylTalkCount, talked = find('[data-yl-talked]');
    talked.textContent = number;
    talked.hidden = number === '0';
    const first = fresh.querySelector('.yl-comment'), kept = [];
    for (const old of talk.querySelectorAll('.yl-comment')) { if (first && old.id === first.id) break; kept.push(old); } // looked up by hand
    talk.replaceChildren(...(first && fresh.querySelector('[data-yl-older]') ? kept : []), ...fresh.querySelectorAll('.yl-talk > li'));
  };

  recall();
  if (composer.dataset.ylEditing || composer.dataset.ylReply) about(find('[data-yl-say]').textContent.trim());
  grow();
  if (location.hash.startsWith('#comment-')) pointAt(part, location.hash.slice(1));
}

async function fragment(address) {
  const answer = await fetch(address, { headers: { 'HX-Request': 'true', Accept: HTML } }).catch(() => null);
  return answer?.ok ? answer.text() : null;
}

function pointAt(part, id) {
  const said = part.querySelector(`#${CSS.escape(id)}`);
  said?.classList.add('yl-pointed');
  said?.scrollIntoView({ block: 'center' });
}

function prepareAll(scope = document) {
  if (scope.matches?.(RAW)) prepare(scope);
  for (const part of scope.querySelectorAll(RAW)) prepare(part);
}

document.body.addEventListener('yl:live-comment', ({ detail }) => {
  for (const part of document.querySelectorAll('[data-yl-comments]')) {
    if (part.dataset.ylRecordType === detail.record_type && Number(part.dataset.ylRecordId) === detail.record_id) part.ylNews?.();
  }
});
document.body.addEventListener('yl:live-resync', () => { for (const part of document.querySelectorAll('[data-yl-comments]')) part.ylNews?.(); });
document.addEventListener('htmx:load', event => prepareAll(event.target));
prepareAll();
