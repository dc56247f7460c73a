// Keeps the shell and an offline page, nothing of the business: rights change and approvals go stale.
const NAME = 'yunliu-shell-1', OFFLINE = '/offline';
self.addEventListener('install', event => event.waitUntil((async () => {
  const cache = await caches.open(NAME), page = await fetch(OFFLINE, { cache: 'reload' }), html = await page.clone().text();
  await cache.put(OFFLINE, page);
  await cache.addAll([...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(match => match[1]));
  await self.skipWaiting();
})()));
self.addEventListener('activate', event => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
  await self.clients.claim();
})()));
self.addEventListener('fetch', event => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (event.request.mode === 'navigate') event.respondWith(fetch(event.request).catch(() => caches.match(OFFLINE)));
  else if (url.pathname.startsWith('/static/') && url.searchParams.has('v')) event.respondWith(caches.match(event.request).then(kept => kept || fetch(event.request)));
});
