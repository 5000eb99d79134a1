import type { Page } from '@playwright/test';

import { anotherThan } from '../support/app.ts';
import { withApp, withPassword, withSms } from '../support/client.ts';
import type { Person } from '../support/people.ts';
import { arriveAt, expectError, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

const REFUSED = 'Username or password is not right.';

async function logIn(page: Page, visit: (path: string) => Promise<unknown>, person: Person) {
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
}

test('a wrong password and an unknown name get the same words', async ({ page, server, visit }) => {
  const { person } = await withPassword(server);
  const attempts: [string, string][] = [
    [person.username, 'not my password at all'],
    ['nobody-of-that-name', person.password],
  ];
  for (const [name, password] of attempts) {
    await visit('/login');
    await fill(page, { 'Username or email': name, 'Password': password });
    await press(page, 'Log In');
    await expectError(page, REFUSED);
    await expect(page.getByRole('alert')).toHaveText(REFUSED);
    await arriveAt(page, '/login');
  }
});

test('without a second factor the password opens the account, by name or by e-mail', async ({ page, server, visit }) => {
  const { person } = await withPassword(server);
  for (const name of [person.username, person.email]) {
    await visit('/login');
    await fill(page, { 'Username or email': name, 'Password': person.password });
    await press(page, 'Log In');
    await arriveAt(page, '/account/security');
    await press(page, 'Log Out');
    await arriveAt(page, '/login');
  }
});

test('the fields are made for password managers', async ({ page, visit }) => {
  await visit('/login');
  await expect(page.getByLabel('Username or email')).toHaveAttribute('autocomplete', 'username');
  await expect(page.getByLabel('Password')).toHaveAttribute('autocomplete', 'current-password');
  await visit('/signup');
  await expect(page.getByLabel('Password')).toHaveAttribute('autocomplete', 'new-password');
});

test('the fifth wrong token leads back to the password, with the reason', async ({ page, server, visit }) => {
  const { person, app } = await withApp(server);
  await logIn(page, visit, person);
  const wrong = await app.wrongToken();
  const tokens = [wrong, anotherThan(wrong)];
  for (let failures = 1; failures <= 4; failures += 1) {
    await fill(page, { 'Authorization token': tokens[failures % 2] ?? wrong });
    await press(page, 'Log In');
    await expectError(page, 'That token is not right');
    const left = 5 - failures;
    if (left <= 3) {
      await expect(page.getByText(left === 1 ? 'You have 1 try left.' : `You have ${left} tries left.`)).toBeVisible();
    }
  }
  await fill(page, { 'Authorization token': tokens[1] ?? wrong });
  await press(page, 'Log In');
  await arriveAt(page, '/login');
  await expect(page.getByText('Too many wrong tokens. Log in again.')).toBeVisible();

  // A right token does not help the sign-in that is over; a new one starts from the password.
  await visit('/login/token');
  await arriveAt(page, '/login');
  await logIn(page, visit, person);
  await fill(page, { 'Authorization token': await app.freshToken() });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});

test('a sign-in that takes too long starts again', async ({ page, server, visit }) => {
  const { person, app } = await withApp(server);
  await logIn(page, visit, person);
  await server.advance(10 * 60 + 1);
  await fill(page, { 'Authorization token': await app.freshToken() });
  await press(page, 'Log In');
  await arriveAt(page, '/login');
  await expect(page.getByText('That took too long. Log in again.')).toBeVisible();
});

test('a token from a text message dies after five minutes', async ({ page, server, visit }) => {
  const { person } = await withSms(server);
  await server.advance(61);
  await logIn(page, visit, person);
  await press(page, 'Request Token via SMS');
  await expect(page.getByRole('status')).toContainText('Token sent to the number ending');
  const token = await server.tokenSentTo(person.e164);
  await server.advance(5 * 60 + 1);
  await fill(page, { 'Authorization token': token });
  await press(page, 'Log In');
  await expectError(page, 'That token is not right');
});

test('whoever skips the token gets nowhere, and then reaches the page first asked for', async ({ page, server, visit }) => {
  const { person, app } = await withApp(server);
  await logIn(page, visit, person);
  for (const path of ['/account/profile', '/account/security', '/account/password', '/account/step-up', '/account/security/disable']) {
    await visit(path);
    await arriveAt(page, '/login');
    await expect(page.getByText(person.email)).toHaveCount(0);
  }
  await visit('/account/profile');
  await arriveAt(page, '/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await fill(page, { 'Authorization token': await app.freshToken() });
  await press(page, 'Log In');
  await arriveAt(page, '/account/profile');
});

test('no address leads away from the site after the sign-in', async ({ page, server, visit }) => {
  const { person } = await withPassword(server);
  for (const next of ['https://evil.test/', '//evil.test', '/\\evil.test']) {
    await visit(`/login?next=${encodeURIComponent(next)}`);
    await fill(page, { 'Username or email': person.username, 'Password': person.password });
    await press(page, 'Log In');
    await arriveAt(page, '/account/security');
    await press(page, 'Log Out');
    await arriveAt(page, '/login');
  }
});

test('after the way out the back button shows nothing private', async ({ page, context, server, visit }) => {
  const { person, client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  await expect(page.getByText(person.email)).toBeVisible();
  await visit('/account/security');
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await page.goBack();
  await arriveAt(page, '/login');
  await expect(page.getByText(person.email)).toHaveCount(0);
  await expect(page.getByText(person.practice)).toHaveCount(0);
});

test('cancelling the token leads back to the password and ends the sign-in', async ({ page, server, visit }) => {
  const { person } = await withApp(server);
  await logIn(page, visit, person);
  await press(page, 'Cancel');
  await arriveAt(page, '/login');
  await visit('/login/token');
  await arriveAt(page, '/login');
});

test('a page left alone for a quarter of an hour asks to log in, and comes back', async ({ page, context, server, visit }) => {
  const { person, client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  await arriveAt(page, '/account/profile');
  await server.advance(15 * 60 + 1);
  await press(page, 'Security');
  await arriveAt(page, '/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});

test('the front door leads to the sign-in, and to the account of who is signed in', async ({ page, context, server, visit }) => {
  await visit('/');
  await arriveAt(page, '/login');
  const { client } = await withPassword(server);
  await client.handOver(context);
  for (const path of ['/', '/login', '/signup']) {
    await visit(path);
    await arriveAt(page, '/account/security');
  }
});

test.describe(() => {
  test.use({ expected: [/status of 404/] });

  test('an address that leads nowhere says so and leads on', async ({ page, visit }) => {
    const response = await visit('/no/such/page');
    expect(response?.status()).toBe(404);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Page not found');
    await press(page, 'Go to Twofold');
    await arriveAt(page, '/login');
  });
});

test('a crafted address shows one of our own sentences and nothing of its own', async ({ page, visit }) => {
  const crafted = Buffer.from('{"Token":"<b>call this number</b>"}').toString('base64url');
  await visit(`/login?__err=${crafted}&__path=%2Fapi%2Flog_in`);
  await expect(page.getByRole('alert')).toHaveText('We could not read what was sent. Load the page again and retry.');
  await expect(page.getByText('call this number')).toHaveCount(0);
});
