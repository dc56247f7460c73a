// A search box over a JSON list of people, positions, roles or departments: GET url?q=… and url?ids=a,b give {items: [{id, name, detail?}]}.
import { useEffect, useRef, useState } from '@bpmn-io/properties-panel/preact/hooks';

const PAUSE = 200; // ms without typing before the server is asked

const names = new Map(); // url + id -> name, kept while the page is open

async function ask(url, question) {
  const address = new URL(url, location.href);
  for (const [name, value] of Object.entries(question)) address.searchParams.set(name, value);
  const answer = await fetch(address, { credentials: 'same-origin', headers: { Accept: 'application/json' } });
  if (!answer.ok) throw new Error(String(answer.status));
  const { items } = await answer.json();
  for (const item of items) names.set(`${url} ${item.id}`, item.name);
  return items;
}

export function Picker({ id, url, value, label, translate, onPick }) {
  const [typed, setTyped] = useState(null); // null: closed, showing the chosen one
  const [found, setFound] = useState([]);
  const [marked, setMarked] = useState(0);
  const [failed, setFailed] = useState(false);
  const [, redraw] = useState(0);
  const box = useRef();

  useEffect(() => {
    if (value && !names.has(`${url} ${value}`)) ask(url, { ids: value }).then(() => redraw(n => n + 1), () => setFailed(true));
  }, [url, value]);

  useEffect(() => {
    if (typed === null) return undefined;
    let stale = false;
    const timer = setTimeout(() => ask(url, { q: typed }).then(
      items => { if (!stale) { setFound(items); setMarked(0); setFailed(false); } },
      () => { if (!stale) { setFound([]); setFailed(true); } },
    ), PAUSE);
    return () => { stale = true; clearTimeout(timer); };
  }, [url, typed]);

  const open = typed !== null;
  const listId = `${id}-list`;
  function pick(item) {
    setTyped(null);
    onPick(String(item.id));
  }
  function onKeyDown(event) {
    if (event.key === 'ArrowDown') setMarked(Math.min(marked + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setMarked(Math.max(marked - 1, 0));
    else if (event.key === 'Enter' && found[marked]) pick(found[marked]);
    else if (event.key === 'Escape') setTyped(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return <div class="ylb-picker" ref={ box } onFocusOut={ event => { if (!box.current.contains(event.relatedTarget)) setTyped(null); } }>
    <input id={ id } class="bio-properties-panel-input" type="text" role="combobox" autocomplete="off" spellcheck={ false } aria-label={ label }
      aria-expanded={ open } aria-controls={ listId } aria-activedescendant={ open && found[marked] ? `${listId}-${marked}` : undefined }
      placeholder={ translate('Search by name') }
      value={ open ? typed : (names.get(`${url} ${value}`) ?? value) }
      onFocus={ () => setTyped('') } onClick={ () => { if (!open) setTyped(''); } }
      onInput={ event => setTyped(event.target.value) } onKeyDown={ onKeyDown } />
    { open && <ul id={ listId } role="listbox">
      { found.map((item, at) => <li id={ `${listId}-${at}` } role="option" aria-selected={ at === marked } key={ item.id }
        onMouseDown={ event => { event.preventDefault(); pick(item); } } onMouseEnter={ () => setMarked(at) }>
        { item.name }{ item.detail && <small>{ item.detail }</small> }
      </li>) }
      { !found.length && <li class="ylb-none">{ translate(failed ? 'The list could not be loaded' : 'Nothing found') }</li> }
    </ul> }
  </div>;
}
