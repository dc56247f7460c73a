// Computed fields while people type: the part of the house's expression language that sums and multiplies, in exact
// decimals. What it does not know it leaves to the server, which reckons everything again in any case.

const PLACES = 8;
const ONE = 10n ** BigInt(PLACES);
const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|("[^"]*"|'[^']*')|([A-Za-z_]\w*)|([-+*/(),.]))/y;

export class Unknown extends Error {}

/** "1,234.50" as a scaled integer; null for nothing, NaN for what is no number. */
export function decimal(text) {
  const plain = String(text ?? '').normalize('NFKC').replace(/[,\s'¥￥$]/g, '');
  if (!plain) return null;
  const parts = /^([-+]?)(\d+)(?:\.(\d*))?$|^([-+]?)\.(\d+)$/.exec(plain);
  if (!parts) return NaN;
  const sign = parts[1] || parts[4], whole = parts[2] || '0', rest = (parts[3] ?? parts[5] ?? '').slice(0, PLACES).padEnd(PLACES, '0');
  const value = BigInt(whole) * ONE + BigInt(rest);
  return sign === '-' ? -value : value;
}

/** A scaled integer as "1,234.50", with at least so many decimals. */
export function written(value, least = 2, grouped = true) {
  const sign = value < 0n ? '-' : '', size = value < 0n ? -value : value;
  let rest = (size % ONE).toString().padStart(PLACES, '0').replace(/0+$/, '');
  rest = rest.padEnd(least, '0');
  const whole = (size / ONE).toString();
  return sign + (grouped ? whole.replace(/\B(?=(\d{3})+$)/g, ',') : whole) + (rest ? `.${rest}` : '');
}

function round(value, places) {
  const step = 10n ** BigInt(PLACES - places), half = step / 2n, size = value < 0n ? -value : value;
  const rounded = ((size + half) / step) * step;
  return value < 0n ? -rounded : rounded;
}

const FUNCTIONS = {
  sum: (list, field) => (list || []).map(row => field === undefined ? row : row[field]).filter(one => one !== null && one !== undefined).reduce((a, b) => a + number(b), 0n),
  min: (...given) => given.flat().filter(one => one !== null).reduce((a, b) => (b < a ? b : a)),
  max: (...given) => given.flat().filter(one => one !== null).reduce((a, b) => (b > a ? b : a)),
  abs: value => (value < 0n ? -value : value),
  len: list => BigInt((list || []).length) * ONE,
  round: (value, places = 0n) => round(number(value), Number(places / ONE)),
  coalesce: (...given) => given.find(one => one !== null && one !== undefined) ?? null,
};

function number(value) {
  if (typeof value !== 'bigint') throw new Unknown('not a number');
  return value;
}

function tokens(source) {
  const found = [];
  TOKEN.lastIndex = 0;
  const text = source.trim();
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) throw new Unknown(text);
    found.push(match[1] !== undefined ? { number: decimal(match[1]) } : match[2] !== undefined ? { string: match[2].slice(1, -1) } : match[3] !== undefined ? { name: match[3] } : { sign: match[4] });
  }
  return found;
}

/** The value of an expression over these facts (amounts as scaled integers); throws Unknown for what is not for us. */
export function reckon(source, facts) {
  const list = tokens(source.replace(/^\s*[$#]\{([^]*)\}\s*$/, '$1'));
  let at = 0;
  const sees = sign => list[at]?.sign === sign;
  const take = sign => { if (!sees(sign)) throw new Unknown(source); at += 1; };

  function sum() {
    let left = product();
    while (sees('+') || sees('-')) {
      const minus = sees('-'); at += 1;
      const right = product();
      left = minus ? number(left) - number(right) : number(left) + number(right);
    }
    return left;
  }
  function product() {
    let left = factor();
    while (sees('*') || sees('/')) {
      const divide = sees('/'); at += 1;
      const right = number(factor());
      if (divide && right === 0n) throw new Unknown('division by zero');
      left = divide ? (number(left) * ONE) / right : (number(left) * right) / ONE;
    }
    return left;
  }
  function factor() {
    if (sees('-')) { at += 1; return -number(factor()); }
    if (sees('(')) { take('('); const inner = sum(); take(')'); return inner; }
    const token = list[at];
    at += 1;
    if (token?.number !== undefined) return token.number;
    if (token?.string !== undefined) return token.string;
    if (token?.name === undefined) throw new Unknown(source);
    if (sees('(')) {
      const given = [];
      take('(');
      while (!sees(')')) { given.push(sum()); if (!sees(')')) take(','); }
      take(')');
      if (!FUNCTIONS[token.name]) throw new Unknown(token.name);
      return FUNCTIONS[token.name](...given);
    }
    let value = facts[token.name];
    while (sees('.')) { take('.'); value = value?.[list[at]?.name]; at += 1; }
    if (value === undefined) throw new Unknown(token.name);
    return value;
  }

  const value = sum();
  if (at < list.length) throw new Unknown(source);
  return value;
}
