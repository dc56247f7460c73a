// Messages open in a drawer over the list; with Ctrl, or without scripts, as pages of their own.
const drawer = document.getElementById('yl-drawer');

document.addEventListener('htmx:afterSwap', event => {
  if (event.target.id === 'yl-drawer-body' && !drawer.open) drawer.showModal();
});
document.addEventListener('htmx:beforeRequest', event => {
  const from = event.detail.requestConfig?.triggeringEvent;
  if (event.target.matches('[data-yl-drawer]') && (from?.ctrlKey || from?.metaKey)) { event.preventDefault(); open(event.target.href); }
});
drawer.addEventListener('click', event => {
  if (event.target === drawer || event.target.closest('[data-yl-close]')) drawer.close();
});
