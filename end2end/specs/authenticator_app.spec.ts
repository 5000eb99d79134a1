import { execFileSync } from 'node:child_process';

import type { Page } from '@playwright/test';

import { App, anotherThan } from '../support/app.ts';
import { withApp, withSms } from '../support/client.ts';
import type { Person } from '../support/people.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import { readQrCode } from '../support/qr.ts';
import { expect, test } from '../support/test.ts';

const NOT_RIGHT = 'That token is not right, or it has been used or has expired.';

/** The key as a person reads it off the page. */
async function shownKey(page: Page): Promise<string> {
  const key = await page.getByRole('group', { name: 'Setup key' }).innerText();
  expect(key, 'a copy has no blanks').toMatch(/^[A-Z2-7]{32}$/);
  return key;
}

async function logIn(page: Page, visit: (path: string) => Promise<unknown>, person: Person) {
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
}

async function logOut(page: Page) {
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
}

test('an app that was given the key by hand logs its owner in', async ({ page, context, server, visit }) => {
  const { person, client } = await withSms(server);
  await client.handOver(context);
  await visit('/account/security');
  await press(page, 'Add an authenticator app');
  await arriveAt(page, '/account/security/authenticator');
  await expect(page.getByText('time-based · 6 digits · 30 seconds · SHA1')).toBeVisible();
  const app = new App(server, await shownKey(page));
  const first = await app.freshToken();
  await fill(page, { 'Token from the app': first, 'Name of the app': 'My old phone' });
  await press(page, 'Activate');
  await arriveAt(page, '/account/security');
  await expectStatus(page, 'Authenticator app added.');
  await expect(page.getByRole('region', { name: 'Factors' })).toContainText('My old phone');
  expect((await server.messages(person.email))[0]?.body).toContain('A way to sign in was added');

  await logOut(page);
  await logIn(page, visit, person);
  await expect(page.getByText('Open My old phone and type the token it shows')).toBeVisible();
  // The token that confirmed the app is spent.
  await fill(page, { 'Authorization token': first });
  await press(page, 'Log In');
  await expectError(page, NOT_RIGHT);
  const second = await app.freshToken();
  await fill(page, { 'Authorization token': second });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');

  // And so is one that logged somebody in.
  await logOut(page);
  await logIn(page, visit, person);
  await fill(page, { 'Authorization token': second });
  await press(page, 'Log In');
  await expectError(page, NOT_RIGHT);
});

test('an app that scanned the QR code logs its owner in', async ({ page, context, server, visit }) => {
  const { person, client } = await withSms(server);
  await client.handOver(context);
  await visit('/account/security');
  await press(page, 'Add an authenticator app');
  await arriveAt(page, '/account/security/authenticator');

  const scanned = new URL(await readQrCode(page.getByRole('img', { name: 'QR code for the setup key' })));
  expect(scanned.href.startsWith('otpauth://totp/')).toBe(true);
  expect(await page.getByRole('link', { name: 'Open in authenticator app' }).getAttribute('href')).toBe(scanned.href);
  const parameters = Object.fromEntries(scanned.searchParams);
  expect(parameters).toMatchObject({ digits: '6', period: '30', algorithm: 'SHA1', issuer: `Twofold ${person.practice}` });
  expect(decodeURIComponent(scanned.pathname)).toContain(`:${person.username}`);
  expect(parameters['secret']).toBe(await shownKey(page));

  const app = new App(server, parameters['secret'] ?? '');
  await fill(page, { 'Token from the app': await app.freshToken() });
  await press(page, 'Activate');
  await arriveAt(page, '/account/security');
  await logOut(page);
  await logIn(page, visit, person);
  await fill(page, { 'Authorization token': await app.freshToken() });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});

test('oathtool and the server make the same tokens', async ({ page, server, visit }) => {
  const { person, app } = await withApp(server);
  // The confirming token is spent, so it is the next one's turn.
  const now = await server.advance(30);
  const token = execFileSync('oathtool', ['--totp', '--base32', `--now=@${now}`, app.key], { encoding: 'utf8' }).trim();
  expect(token).toBe(await app.tokenAt(now));
  await logIn(page, visit, person);
  await fill(page, { 'Authorization token': token });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});

test.describe('a wrong first token is explained, and activates nothing', () => {
  const cases: [string, (app: App, now: number) => Promise<string>, RegExp][] = [
    ['a clock that is slow', (app, now) => app.tokenAt(now - 120), /Your device's clock is about \d+ s slow\./],
    ['a clock that is fast', (app, now) => app.tokenAt(now + 120), /Your device's clock is about \d+ s fast\./],
    ['a token that nothing explains', (app) => app.wrongToken(), /That token is not right/],
  ];
  for (const [name, token, text] of cases) {
    test(name, async ({ page, context, server, visit }) => {
      const { client } = await withSms(server);
      const app = await client.startApp();
      await client.handOver(context);
      await visit('/account/security/authenticator');
      await fill(page, { 'Token from the app': await token(app, await server.now()) });
      await press(page, 'Activate');
      await expectError(page, text);
      await visit('/account/security');
      await expect(page.getByText('waits for its first token.')).toBeVisible();
      await expect(page.getByRole('region', { name: 'Factors' })).not.toContainText('Authenticator app');
    });
  }
});

test('cancelling leaves everything as it was', async ({ page, context, server, visit }) => {
  const { client } = await withSms(server);
  const app = await client.startApp();
  await client.handOver(context);
  await visit('/account/security/authenticator');
  await press(page, 'Cancel');
  await arriveAt(page, '/account/security');
  await expect(page.getByText('waits for its first token')).toHaveCount(0);
  // The key is dead, and its page has nothing to show.
  expect((await client.post('/api/confirm_app', { token: await app.freshToken() })).status).toBeGreaterThanOrEqual(400);
  await visit('/account/security/authenticator');
  await arriveAt(page, '/account/security');
});

test('an app can be removed, and its tokens are refused at once', async ({ page, context, server, visit }) => {
  const { person, client, app } = await withApp(server);
  await client.handOver(context);
  await visit('/account/security');
  await press(page, 'Remove Authenticator app');
  await arriveAt(page, '/account/security');
  await expectStatus(page, 'Removed.');
  await logOut(page);
  await logIn(page, visit, person);
  await fill(page, { 'Authorization token': await app.freshToken() });
  await press(page, 'Log In');
  await expectError(page, NOT_RIGHT);
});

test('the token of another account is refused', async ({ page, server, visit }) => {
  const [mine, theirs] = [await withApp(server), await withApp(server)];
  await logIn(page, visit, mine.person);
  await fill(page, { 'Authorization token': await theirs.app.freshToken() });
  await press(page, 'Log In');
  await expectError(page, NOT_RIGHT);
});

test('a second wrong token in a row asks to look at the clock', async ({ page, server, visit }) => {
  const { person, app } = await withApp(server);
  await logIn(page, visit, person);
  const wrong = await app.wrongToken();
  for (const token of [wrong, anotherThan(wrong)]) {
    await fill(page, { 'Authorization token': token });
    await press(page, 'Log In');
    await expectError(page, NOT_RIGHT);
  }
  await expect(page.getByText('Check that your device sets its clock automatically. Server time is')).toBeVisible();
});
