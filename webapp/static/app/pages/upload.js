// Files: dropped or chosen, sent at once with a bar of their own, named by a hidden input when they have arrived.
import { csrfToken, icon, toast, words } from 'yl';

export function uploads(form, said) {
  form.addEventListener('change', event => {
    const drop = event.target.closest('[data-yl-upload]');
    if (drop && event.target.type === 'file') { send(drop, event.target.files); event.target.value = ''; }
  });
  form.addEventListener('click', event => {
    const button = event.target.closest('[data-yl-unattach]');
    if (!button) return;
    button.closest('li').remove();
    form.dispatchEvent(new Event('input', { bubbles: true }));
  });
  for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    form.addEventListener(kind, event => {
      const drop = event.target.closest?.('[data-yl-upload]');
      if (!drop || !event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      drop.classList.toggle('yl-over', kind === 'dragenter' || kind === 'dragover');
      if (kind === 'drop') send(drop, event.dataTransfer.files);
    });
  }

  function send(drop, files) {
    const room = Number(drop.dataset.ylMost) - drop.querySelectorAll('[data-yl-uploaded] li').length;
    if (files.length > room) toast(said.too_many.replace('{count}', drop.dataset.ylMost), 'warning');
    for (const file of [...files].slice(0, Math.max(room, 0))) one(drop, file);
  }

  function one(drop, file) {
    const line = document.createElement('li'), name = document.createElement('span'), bar = document.createElement('progress');
    const text = document.createElement('span');
    text.textContent = file.name;
    name.append(icon('paperclip'), text);
    bar.max = 1; bar.value = 0;
    bar.setAttribute('aria-label', file.name);
    line.append(name, bar);
    drop.querySelector('[data-yl-uploaded]').append(line);
    const request = new XMLHttpRequest(), body = new FormData();
    body.append('file', file);
    request.upload.addEventListener('progress', event => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
    request.addEventListener('load', () => {
      const answer = read(request.responseText);
      if (request.status >= 300) return failed(answer.errors?.[0]?.message || answer.detail);
      arrived(drop, line, bar, file, [answer.items?.[0] || answer].flat()[0]);
    });
    request.addEventListener('error', () => failed(''));
    request.open('POST', form.dataset.ylUploadUrl);
    request.setRequestHeader('X-CSRFToken', csrfToken());
    request.setRequestHeader('Accept', 'application/json');
    request.send(body);

    function failed(why) {
      line.remove();
      toast(`${said.upload_failed.replace('{name}', file.name)} ${why || words.failed}`, 'danger');
    }
  }

  function arrived(drop, line, bar, file, kept) {
    const size = document.createElement('small'), remove = document.createElement('button'), hidden = document.createElement('input');
    size.textContent = file.size >= 1048576 ? `${(file.size / 1048576).toFixed(1)} MB` : `${Math.ceil(file.size / 1024)} KB`;
    Object.assign(remove, { type: 'button', className: 'yl-icon-button' });
    remove.dataset.ylUnattach = '';
    remove.setAttribute('aria-label', said.remove.replace('{name}', file.name));
    remove.append(icon('x'));
    Object.assign(hidden, { type: 'hidden', name: drop.dataset.ylField, value: kept.id });
    if (drop.dataset.ylForm) hidden.setAttribute('form', drop.dataset.ylForm); // belongs to another form than it stands in, or to none
    bar.replaceWith(size, remove, hidden);
    form.dispatchEvent(new Event('input', { bubbles: true }));
  }
}

function read(text) {
  try { return JSON.parse(text); } catch { return {}; }
}
