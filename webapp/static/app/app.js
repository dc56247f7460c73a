// Behaviour of the frame. Everything hangs on the document, so fragments that htmx swaps in need no binding.
const root = document.documentElement;
const find = (selector, scope = document) => scope.querySelector(selector);
const A_YEAR = 31536000;

/** Sentences for people, in their language (base.html). */
export const words = JSON.parse(find('#yl-words').textContent);

export const csrfToken = () => find('meta[name=csrf-token]').content;

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `${document.body.dataset.ylIcons}#${name}`);
  svg.append(use);
  return svg;
}

const remember = (name, value) => { document.cookie = `${name}=${value};path=/;max-age=${A_YEAR};samesite=lax`; };

/** A short message in the corner; kind: success | danger | warning | info. Errors stay until they are closed. */
export function toast(text, kind = 'info') {
  const icons = { success: 'circle-check', danger: 'alert-circle', warning: 'alert-triangle', info: 'info-circle' };
  const box = document.createElement('div');
  box.className = `yl-toast yl-toast-${kind}`;
  const message = document.createElement('span');
  message.textContent = text;
  const close = document.createElement('button');
  close.type = 'button';
  close.dataset.ylDismiss = '';
  close.setAttribute('aria-label', words.close);
  close.append(icon('x'));
  box.append(icon(icons[kind]), message, close);
  const last = find('#yl-toasts').lastElementChild; // the same again takes its place: ten saved in a row are one line
  if (last?.className === box.className && last.textContent === box.textContent) last.remove();
  find('#yl-toasts').append(box);
  if (kind === 'success' || kind === 'info') fade(box);
}
const fade = box => setTimeout(() => box.remove(), 4000);

/** Ask before something that cannot be taken back: resolves to true or false. */
export function confirm(text) {
  const dialog = find('#yl-confirm');
  find('#yl-confirm-text').textContent = text;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise(done => dialog.addEventListener('close', () => done(dialog.returnValue === 'yes'), { once: true }));
}

/** Fresh numbers on everything that shows this count: the sidebar, the bell, the phone bar. */
export function showCount(kind, count) {
  for (const mark of document.querySelectorAll(`[data-yl-count="${CSS.escape(kind)}"]`)) {
    mark.textContent = count;
    mark.hidden = !count;
  }
}

/** Turn selects with data-yl-remote into searching ones; called for the page and for every swapped fragment. */
export function enhance(scope = document) {
  for (const select of scope.querySelectorAll('select[data-yl-remote]:not(.tomselected)')) {
    new TomSelect(select, {
      plugins: select.multiple ? ['remove_button'] : ['clear_button'],
      valueField: 'value', labelField: 'text', searchField: [], preload: 'focus', maxOptions: 100, closeAfterSelect: true, clearAfterSelect: select.multiple,
      render: { no_results: () => `<div class="no-results">${words.nothing_found}</div>` },
      shouldLoad: () => true,
      onDropdownOpen() { if (!this.inputValue() && this.offersFor) this.load(''); }, // they are still those for what was typed last
      load(text, answer) {
        this.offersFor = text;
        this.clearOptions(); // what was chosen stays; offers for an older text would stand before the right ones
        return fetch(`${select.dataset.ylRemote}?q=${encodeURIComponent(text)}`, { headers: { Accept: 'application/json' } })
        .then(response => response.ok ? response.json() : []).then(answer).catch(() => answer());
      },
    });
  }
  askWhatFits(scope);
  if (find('[data-yl-filters]', scope) || scope.matches?.('[data-yl-filters]')) import('yl/filters').then(module => module.build(scope));
}

/** Show what only some answers ask for: data-yl-when="audience=department". */
function askWhatFits(scope) {
  for (const part of scope.querySelectorAll('[data-yl-when]')) {
    const [name, value] = part.dataset.ylWhen.split('=');
    part.hidden = part.closest('form').elements[name]?.value !== value && !find('.yl-bad', part);
  }
}

/** A dialog of the page; what was written as an opinion already is where its words go. */
function openDialog(dialog) {
  for (const menu of document.querySelectorAll('details.yl-menu[open]')) menu.open = false;
  const words = find('[data-yl-from-opinion]', dialog), opinion = find('#yl-opinion')?.value.trim();
  if (words && opinion && !words.value) words.value = opinion;
  dialog.showModal();
}

// ------------------------------------------------------------------------------------------------ clicks
document.addEventListener('click', event => {
  const on = selector => event.target.closest(selector);
  for (const menu of document.querySelectorAll('details.yl-menu[open]')) if (!menu.contains(event.target)) menu.open = false;
  if (on('[data-yl-nav-toggle]')) return openNavigation(!root.classList.contains('yl-open'));
  if (on('[data-yl-fold]')) {
    const folded = root.classList.toggle('yl-folded');
    on('[data-yl-fold]').setAttribute('aria-pressed', folded);
    return remember('nav', folded ? 'folded' : 'open');
  }
  if (on('[data-yl-theme]')) {
    root.dataset.bsTheme = root.dataset.bsTheme === 'dark' ? 'light' : 'dark';
    return remember('theme', root.dataset.bsTheme);
  }
  if (on('[data-yl-dialog]')) return openDialog(find(`#${on('[data-yl-dialog]').dataset.ylDialog}`));
  if (on('[data-yl-close]')) return on('dialog')?.close();
  if (on('[data-yl-dismiss]')) return on('.yl-toast').remove();
  if (on('[data-yl-copy]')) return navigator.clipboard?.writeText(find(on('[data-yl-copy]').dataset.ylCopy).textContent).then(() => toast(words.copied, 'success'));
  if (on('[data-yl-copy-text]')) return navigator.clipboard?.writeText(on('[data-yl-copy-text]').dataset.ylCopyText).then(() => toast(words.copied, 'success'));
  if (on('[role=tab]')) return openTab(on('[role=tab]'));
  const row = on('tr[data-yl-href]');
  if (row && !on('a, button, input, label, select') && !String(getSelection())) {
    if (event.ctrlKey || event.metaKey) return open(row.dataset.ylHref);
    if (row.dataset.ylDrawer && find('#yl-drawer') && innerWidth > 640) return row.dispatchEvent(new CustomEvent('yl:drawer', { bubbles: true }));
    location.href = row.dataset.ylHref;
  }
});

function openNavigation(open) {
  root.classList.toggle('yl-open', open);
  find('.yl-top [data-yl-nav-toggle]')?.setAttribute('aria-expanded', open);
  if (open) find('#yl-side a')?.focus();
}

function openTab(tab) {
  for (const other of tab.parentElement.children) {
    const chosen = other === tab;
    other.setAttribute('aria-selected', chosen);
    other.tabIndex = chosen ? 0 : -1;
    const panel = document.getElementById(other.getAttribute('aria-controls'));
    if (panel) panel.hidden = !chosen;
  }
  window.htmx?.trigger(document.getElementById(tab.getAttribute('aria-controls')), 'yl:open');
}

// ------------------------------------------------------------------------------------------------ keys
document.addEventListener('keydown', event => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    return find('[data-yl-search] input')?.focus();
  }
  if (event.key === 'Escape') {
    for (const menu of document.querySelectorAll('details.yl-menu[open]')) { menu.open = false; find('summary', menu).focus(); }
    if (root.classList.contains('yl-open')) openNavigation(false);
    if (event.target.closest('[data-yl-search]')) document.activeElement.blur();
  }
  const tab = event.target.closest('[role=tab]');
  if (tab && ['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) {
    const tabs = [...tab.parentElement.children], here = tabs.indexOf(tab);
    const next = { ArrowLeft: tabs.at(here - 1), ArrowRight: tabs[(here + 1) % tabs.length], Home: tabs[0], End: tabs.at(-1) }[event.key];
    event.preventDefault();
    next.focus();
    openTab(next);
  }
  if (event.target.closest('[data-yl-search]') && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
    const stops = [find('[data-yl-search] input'), ...document.querySelectorAll('#yl-hits a')], here = stops.indexOf(document.activeElement);
    event.preventDefault();
    stops.at((here + (event.key === 'ArrowDown' ? 1 : -1) + stops.length) % stops.length).focus();
  }
  const right = event.target.closest('[data-yl-right]');
  if (right && event.key.startsWith('Arrow')) moveInMatrix(right, event);
});

// ------------------------------------------------------------------------------------------------ forms
document.addEventListener('submit', async event => {
  const form = event.target, question = event.submitter?.dataset.ylConfirm || form.dataset.ylConfirm;
  if (question && !form.dataset.ylSure) {
    event.preventDefault();
    if (await confirm(question)) { form.dataset.ylSure = '1'; form.requestSubmit(event.submitter); delete form.dataset.ylSure; }
    return;
  }
  if (form.matches('[data-yl-matrix]')) sendMatrix(form, event);
  form.removeAttribute('data-yl-dirty');
  if (form.method === 'post') sendOnce(form, event);
});
// What htmx sends asks in the same words.
document.addEventListener('htmx:confirm', async event => {
  if (!event.detail.question) return;
  event.preventDefault();
  if (await confirm(event.detail.question)) event.detail.issueRequest(true);
});
/** A double click sends a form once: what came second would be told that it is done already. */
function sendOnce(form, event) {
  if (form.dataset.ylSent) return event.preventDefault();
  setTimeout(() => {
    if (event.defaultPrevented) return; // somebody else sends it, or nobody
    form.dataset.ylSent = '1';
    setTimeout(() => delete form.dataset.ylSent, 3000); // the answer may be a file, and the page stays
  });
}
addEventListener('pageshow', () => { for (const form of document.querySelectorAll('form[data-yl-sent]')) delete form.dataset.ylSent; });
document.addEventListener('input', event => {
  const form = event.target.closest('form[data-yl-guard]');
  if (form && event.target.name) form.dataset.ylDirty = '1';
  const bad = event.target.closest('.yl-bad');
  bad?.classList.remove('yl-bad');
});
addEventListener('beforeunload', event => { if (find('form[data-yl-dirty]')) event.preventDefault(); });

document.addEventListener('change', event => {
  if (event.target.form) askWhatFits(event.target.form);
  if (event.target.matches('[data-yl-quick]')) return event.target.form.requestSubmit();
  const card = event.target.closest('.yl-table-card');
  const ticks = 'input:is([name=rowid], [data-yl-tick]):enabled';
  if (card && event.target.matches(`[data-yl-tick-all], ${ticks}`)) {
    if (event.target.matches('[data-yl-tick-all]')) for (const box of card.querySelectorAll(ticks)) box.checked = event.target.checked;
    const count = [...card.querySelectorAll(ticks)].filter(box => box.checked).length, bar = find('.yl-bulk', card);
    if (!bar) return;
    bar.hidden = !count;
    find('[data-yl-bulk-count]', bar).textContent = words.selected.replace('{count}', count);
  }
  if (event.target.matches('[data-yl-right]')) {
    event.target.toggleAttribute('data-yl-changed', event.target.checked !== event.target.defaultChecked);
    const form = event.target.form, changed = form.querySelectorAll('[data-yl-changed]').length;
    form.toggleAttribute('data-yl-dirty', changed > 0);
    find('[data-yl-matrix-count]', form).textContent = changed ? words.changed.replace('{count}', changed) : '';
  }
});

// ------------------------------------------------------------------------------------------------ permission matrix
function sendMatrix(form, event) {
  event.preventDefault();
  for (const box of form.querySelectorAll('[data-yl-changed]')) {
    const field = Object.assign(document.createElement('input'), { type: 'hidden', name: box.checked ? 'on' : 'off', value: box.dataset.ylRight });
    form.append(field);
  }
  form.removeAttribute('data-yl-dirty');
  HTMLFormElement.prototype.submit.call(form);
}
document.addEventListener('reset', event => setTimeout(() => {
  for (const box of event.target.querySelectorAll('[data-yl-changed]')) box.removeAttribute('data-yl-changed');
  event.target.removeAttribute('data-yl-dirty');
  const count = find('[data-yl-matrix-count]', event.target);
  if (count) count.textContent = '';
}));
document.addEventListener('input', event => {
  if (!event.target.matches('[data-yl-matrix-filter]')) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const body of document.querySelectorAll('.yl-matrix tbody')) {
    let shown = 0;
    for (const row of body.querySelectorAll('[data-yl-matrix-row]')) {
      row.hidden = !!wanted && !find('th', row).textContent.toLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    }
    body.hidden = !shown;
  }
});
function moveInMatrix(box, event) {
  const rows = [...document.querySelectorAll('[data-yl-matrix-row]:not([hidden])')], row = rows.indexOf(box.closest('tr'));
  const column = box.closest('td').cellIndex;
  const target = { ArrowUp: rows[row - 1]?.cells[column], ArrowDown: rows[row + 1]?.cells[column], ArrowLeft: rows[row].cells[column - 1], ArrowRight: rows[row].cells[column + 1] }[event.key];
  const next = target && find('input', target);
  if (next) { event.preventDefault(); next.focus(); }
}

// ------------------------------------------------------------------------------------------------ sidebar groups, htmx, start
document.addEventListener('toggle', event => {
  if (!event.target.matches?.('.yl-group')) return;
  const closed = [...document.querySelectorAll('.yl-group:not([open])')].map(group => group.dataset.ylGroup);
  remember('nav_closed', closed.join('.'));
}, true);
document.addEventListener('htmx:configRequest', event => { event.detail.headers['X-CSRFToken'] = csrfToken(); });
document.addEventListener('htmx:load', event => enhance(event.target));
// a list was narrowed in its place: the sidebar's line and the links that take the list along follow
document.addEventListener('htmx:pushedIntoHistory', event => {
  const [page, query = ''] = event.detail.path.split('?');
  const lines = [...document.querySelectorAll('.yl-side .yl-line[href]')].filter(line => line.getAttribute('href').split('?')[0] === page);
  const here = lines.find(line => line.matches('.yl-below') && `${event.detail.path}&`.startsWith(`${line.getAttribute('href')}&`)) || lines[0];
  for (const line of lines) if (line === here) line.setAttribute('aria-current', 'page'); else line.removeAttribute('aria-current');
  for (const link of document.querySelectorAll('[data-yl-follows]')) link.search = query;
});
document.addEventListener('htmx:sendError', () => toast(words.failed, 'danger'));
document.addEventListener('htmx:responseError', event => {
  const { xhr, elt } = event.detail;
  if (xhr.status === 401) location.reload();
  else if ([403, 404, 410].includes(xhr.status) && elt.getAttribute('hx-trigger') === 'load') elt.remove(); // a part that came by itself, of something that has gone meanwhile
  else toast(decodeURIComponent(xhr.getResponseHeader('X-Refusal') ?? '') || words.failed, 'danger');
});
enhance();
find('.yl-side [aria-current]')?.scrollIntoView({ block: 'nearest' });
document.querySelectorAll('[data-yl-fleeting]').forEach(fade);
find('.yl-bad input, .yl-bad select, .yl-bad textarea')?.focus();
if ('serviceWorker' in navigator) navigator.serviceWorker.register('/sw.js').catch(() => {});
