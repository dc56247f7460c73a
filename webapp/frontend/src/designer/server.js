// Everything the designer asks of the server. See index.js for the addresses and what they answer.

/** The server said no. `kind`: conflict | problems | forbidden | failed | silent; `detail` is the server's own sentence, if any. */
export class Refusal extends Error {
  constructor(kind, { status = 0, detail = '', problems = [] } = {}) {
    super(detail || kind);
    Object.assign(this, { kind, status, detail, problems });
  }
}

export class Server {
  constructor({ loadUrl, draftUrl, deployUrl, lintUrl, csrf, revision }) {
    Object.assign(this, { loadUrl, draftUrl, deployUrl, lintUrl, csrf, revision });
  }

  async load() {
    const answer = await this._fetch(this.loadUrl, { headers: { Accept: 'application/xml' } });
    this.revision ??= unquoted(answer.headers.get('ETag'));
    return answer.text();
  }

  save(xml) {
    return this._write('PUT', this.draftUrl, xml);
  }

  deploy(xml) {
    return this._write('POST', this.deployUrl, xml);
  }

  async lint(xml, signal) {
    const answer = await this._fetch(this.lintUrl, { method: 'POST', ...this._json({ xml }), signal });
    return problemsOf(await answer.json());
  }

  /** Writes over the revision that was read and no other, and remembers the new one. */
  async _write(method, url, xml) {
    const request = this._json({ xml });
    if (this.revision !== undefined) request.headers['If-Match'] = `"${this.revision}"`;
    const answer = await this._fetch(url, { method, ...request });
    const body = await answer.json().catch(() => ({}));
    this.revision = String(body.revision ?? unquoted(answer.headers.get('ETag')) ?? this.revision);
    return body;
  }

  _json(body) {
    return { headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': this.csrf }, body: JSON.stringify(body) };
  }

  async _fetch(url, options) {
    // A redirect can only lead to the login page, which would answer 200 and look like success.
    const answer = await fetch(url, { credentials: 'same-origin', redirect: 'manual', ...options }).catch(error => {
      throw error.name === 'AbortError' ? error : new Refusal('silent');
    });
    if (answer.ok) return answer;
    const body = await answer.json().catch(() => ({}));
    throw new Refusal(kindOf(answer), { status: answer.status, detail: body.detail, problems: problemsOf(body) });
  }
}

function kindOf({ status, type }) {
  if (status === 409 || status === 412) return 'conflict';
  if (status === 422) return 'problems';
  if (status === 401 || status === 403 || type === 'opaqueredirect') return 'forbidden';
  return 'failed';
}

/** Our own pages say `problems` and `where`, the REST interface `errors` and `element`. */
function problemsOf({ problems, errors }) {
  return (problems || errors || []).map(({ where, element, field, rule = '', message, remedy = '', severity = 'error' }) =>
    ({ where: where || element || field || '', rule, message, remedy, severity }));
}

const unquoted = etag => etag?.replace(/^W\//, '').replaceAll('"', '') || undefined;
