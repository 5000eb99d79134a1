import { Client, withApp, withPassword, withSms } from '../support/client.ts';
import { ACCOUNT_PATHS, PUBLIC_PATHS } from '../support/pages.ts';
import type { Server } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

interface Source {
  path: string;
  status: number;
  headers: Headers;
  html: string;
}

async function source(client: Client, path: string): Promise<Source> {
  const answer = await client.request(path, { headers: { accept: 'text/html' } });
  return { path, status: answer.status, headers: answer.headers, html: await answer.text() };
}

/** Every page that can be reached, each in a state that shows most. */
async function everyPage(server: Server): Promise<Source[]> {
  const pages: Source[] = [];
  const nobody = new Client(server);
  for (const path of PUBLIC_PATHS) {
    pages.push(await source(nobody, path));
  }

  const { client: member, person } = await withPassword(server);
  for (const path of ACCOUNT_PATHS) {
    pages.push(await source(member, path));
  }
  await member.startEnabling(person);
  pages.push(await source(member, '/account/security/phone'));
  await member.post('/api/confirm_phone', { token: await server.tokenSentTo(person.e164) });
  pages.push(await source(member, '/account/security/recovery-codes'));
  await member.post('/api/acknowledge_recovery_codes', { stored: 'yes' });
  await member.startApp();
  for (const path of ['/account/security/authenticator', '/account/security', '/account/security/disable', '/account/step-up']) {
    pages.push(await source(member, path));
  }

  const pending = new Client(server);
  await pending.logIn(person);
  for (const path of ['/login/token', '/login/recovery']) {
    pages.push(await source(pending, path));
  }
  for (const page of pages) {
    expect(page.status, page.path).toBe(200);
  }
  return pages;
}

test('every page has one heading, a language, a title, and labels for its fields', async ({ server }) => {
  for (const { path, html } of await everyPage(server)) {
    expect(html.match(/<h1[\s>]/g), path).toHaveLength(1);
    expect(html, path).toMatch(/<html[^>]* lang="en"/);
    expect(html, path).toMatch(/<title>[^<]+ – Twofold<\/title>/);
    for (const [, id] of html.matchAll(/<(?:input|select|textarea)(?![^>]*type="(?:hidden|checkbox)")[^>]*\sid="([^"]+)"/g)) {
      expect(html, `${path}: a label for ${id}`).toContain(`for="${id}"`);
    }
  }
});

test('no page carries styles or handlers of its own, and every script has the nonce of the policy', async ({ server }) => {
  const nonces = new Set<string>();
  const pages = await everyPage(server);
  for (const { path, headers, html } of pages) {
    // What is written on the page is not part of its markup.
    const tags = (html.match(/<[a-z][^>]*>/gi) ?? []).map((tag) => tag.replaceAll(/="[^"]*"/g, (value) => value.replaceAll(/ on\w+=/g, '')));
    for (const tag of tags) {
      expect(tag, path).not.toMatch(/\sstyle[\s=>]/);
      expect(tag, path).not.toMatch(/\son\w+=/);
      expect(tag, path).not.toMatch(/="javascript:/i);
    }
    const nonce = /'nonce-([^']+)'/.exec(headers.get('content-security-policy') ?? '')?.[1] ?? '';
    expect(nonce.length, path).toBeGreaterThanOrEqual(22);
    nonces.add(nonce);
    for (const tag of tags.filter((tag) => /^<(script|style)\b/i.test(tag))) {
      expect(tag, path).toContain(`nonce="${nonce}"`);
    }
    expect(tags.filter((tag) => tag.startsWith('<script')).length, path).toBeGreaterThan(0);
  }
  expect(nonces.size, 'a fresh nonce for each answer').toBe(pages.length);
});

test('every page tells the browser what to forbid, and not to keep it', async ({ server }) => {
  for (const { path, headers } of await everyPage(server)) {
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of [
      "default-src 'self'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "form-action 'self'",
      "'strict-dynamic' 'wasm-unsafe-eval'",
    ]) {
      expect(policy, path).toContain(part);
    }
    expect(policy.replaceAll('wasm-unsafe-eval', ''), path).not.toContain('unsafe');
    const life = Number(/max-age=(\d+); includeSubDomains/.exec(headers.get('strict-transport-security') ?? '')?.[1]);
    expect(life, path).toBeGreaterThanOrEqual(31_536_000);
    expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    expect(headers.get('referrer-policy'), path).toBe('same-origin');
    expect(headers.get('cache-control'), path).toBe('no-store');
    expect(headers.get('cross-origin-opener-policy'), path).toBe('same-origin');
    expect(headers.get('cross-origin-resource-policy'), path).toBe('same-origin');
    expect(headers.get('permissions-policy'), path).toContain('otp-credentials=(self)');
  }
});

test('everything that a page names loads, and what has a hash in its name may be kept for ever', async ({ server }) => {
  const client = new Client(server);
  const named = new Set<string>();
  for (const { html } of await everyPage(server)) {
    for (const [, , url] of html.matchAll(/<(link|script|img)\b[^>]*\s(?:href|src)="([^"#]+)"/g)) {
      named.add(url ?? '');
    }
    for (const [, url] of html.matchAll(/"(\/pkg\/[^"]+)"/g)) {
      named.add(url ?? '');
    }
  }
  expect([...named].filter((url) => /\.(css|js|wasm)$/.test(url)).length).toBeGreaterThanOrEqual(3);
  for (const url of named) {
    expect(url, 'from our own site').toMatch(/^\/[^/]/);
    const answer = await client.request(url);
    expect(answer.status, url).toBe(200);
    expect((await answer.arrayBuffer()).byteLength, url).toBeGreaterThan(0);
    if (url.startsWith('/pkg/')) {
      expect(answer.headers.get('cache-control'), url).toContain('immutable');
    }
  }
});

test('after the set-up no page shows a key or a recovery code again', async ({ server }) => {
  const { client, app, codes, person } = await withApp(server);
  const pending = new Client(server);
  await pending.logIn(person);
  const paths = [...ACCOUNT_PATHS, '/account/security/authenticator', '/account/security/recovery-codes', '/account/security/disable'];
  const pages = [
    ...(await Promise.all(paths.map((path) => source(client, path)))),
    ...(await Promise.all(['/login/token', '/login/recovery'].map((path) => source(pending, path)))),
  ];
  for (const { path, html } of pages) {
    for (const secret of [app.key, ...codes, person.password]) {
      expect(html, path).not.toContain(secret);
    }
  }
  for (const page of ['authenticator', 'recovery_codes', 'security', 'token', 'profile']) {
    const { body } = await client.post(`/api/load_${page}`);
    for (const secret of [app.key, ...codes, person.password]) {
      expect(body, page).not.toContain(secret);
    }
  }
});

test('before the token no page tells more of the phone than its last two digits', async ({ server }) => {
  const { person } = await withSms(server);
  const pending = new Client(server);
  await pending.logIn(person);
  for (const path of ['/login/token', '/login/recovery']) {
    const { html } = await source(pending, path);
    for (const secret of [person.e164, person.e164.slice(-4), person.email, person.lastName]) {
      expect(html, path).not.toContain(secret);
    }
  }
});

test('the cookies are bound to this host, and no script reads them', async ({ server }) => {
  const { person } = await withSms(server);
  const client = new Client(server);
  const answer = await client.request('/api/log_in', {
    method: 'POST',
    body: new URLSearchParams({ name: person.username, password: person.password }),
    headers: { accept: 'application/json' },
  });
  const cookies = answer.headers.getSetCookie();
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) {
    expect(cookie).toMatch(/^__Host-/);
    for (const part of ['; Path=/', '; Secure', '; HttpOnly', '; SameSite=Lax']) {
      expect(cookie).toContain(part);
    }
    expect(cookie).not.toContain('Domain');
  }
});

test('a post from another site is refused', async ({ server }) => {
  const { client } = await withPassword(server);
  for (const site of ['cross-site', 'same-site']) {
    const answer = await client.request('/api/log_out', { method: 'POST', headers: { 'sec-fetch-site': site } });
    expect(answer.status, site).toBe(403);
  }
  expect((await client.get('/account/profile')).status).toBe(200);
});

test('pages come whole and right when many are asked for at once', async ({ server }) => {
  const { client, person } = await withApp(server);
  const nobody = new Client(server);
  for (let round = 0; round < 20; round += 1) {
    const answers = await Promise.all([
      ...['/account/profile', '/account/security', '/account/step-up', '/account/security/disable'].map((path) => source(client, path)),
      ...['/login', '/signup', '/help/two-factor'].map((path) => source(nobody, path)),
    ]);
    for (const { path, status, html } of answers) {
      expect(status, path).toBe(200);
      expect(html, path).toContain('</html>');
      expect(html, `${path}: nothing went wrong`).not.toMatch(/<title>Error: /);
      expect(html.includes(person.practice), path).toBe(path.startsWith('/account/'));
    }
  }
});
