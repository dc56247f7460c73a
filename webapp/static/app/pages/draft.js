// Keeps what is typed as a draft: a moment after the last key, when a field or the window is left. Whoever leaves the page
// before that is asked first (the frame's guard on data-yl-dirty); while he reads the question the draft is saved.
import { csrfToken, icon } from 'yl';

const PAUSE = 800; // ms after the last key

/** {soon(), settled()}: `settled` waits for a saving that is under way, or is null. */
export function drafts(form, said) {
  const address = form.dataset.ylDraftUrl;
  if (!address) return { soon() {}, settled: () => null };
  const status = document.getElementById('yl-saved');
  let timer = 0, saving = null, again = false, unsaved = false;

  function tell(text, failed) {
    status.replaceChildren(icon(failed ? 'alert-triangle' : 'check'), text);
    status.classList.toggle('yl-ink-red', failed);
  }

  async function save() {
    clearTimeout(timer);
    if (!unsaved || form.dataset.ylSending) return;
    if (saving) { again = true; return; }
    unsaved = false;
    saving = fetch(address, { method: 'POST', body: new FormData(form), keepalive: true, headers: { 'X-CSRFToken': csrfToken(), Accept: 'application/json' } });
    try {
      const answer = await saving;
      if (!answer.ok) throw new Error(answer.status);
      const kept = await answer.json();
      form.elements.draft.value = kept.draft;
      history.replaceState(history.state, '', `?draft=${kept.draft}`);
      if (!unsaved) delete form.dataset.ylDirty;
      tell(said.saved.replace('{time}', kept.saved), false);
    } catch {
      unsaved = true;
      tell(said.unsaved, true);
    } finally {
      saving = null;
      if (again) { again = false; save(); }
    }
  }

  form.addEventListener('focusout', () => save());
  addEventListener('beforeunload', () => save());
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'hidden') save(); });

  return {
    soon() {
      unsaved = true;
      form.dataset.ylDirty = '1';
      clearTimeout(timer);
      timer = setTimeout(save, PAUSE);
    },
    settled() { clearTimeout(timer); return saving; },
  };
}
