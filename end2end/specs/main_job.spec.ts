import type { Page } from '@playwright/test';

import { type Person, somebody } from '../support/people.ts';
import { arriveAt, expectStatus, fill, press } from '../support/pages.ts';
import type { Message, Server } from '../support/server.ts';
import { enable, savePhone, signUp } from '../support/set_up.ts';
import { expect, test } from '../support/test.ts';

/** Longer than a number waits between two messages. */
const COOL_DOWN = 61;

async function logInWithMessage(page: Page, server: Server, person: Person, channel: Message['channel'], button: string) {
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await press(page, button);
  await expectStatus(page, `number ending ${person.e164.slice(-2)}.`);
  await fill(page, { 'Authorization token': await server.tokenSentTo(person.e164, channel) });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
}

test('a provider signs up, turns two-factor authentication on, and logs in with a token from a text message', async ({
  page,
  server,
  visit,
}) => {
  const person = somebody();
  await signUp(page, visit, person);
  await savePhone(page, person);
  const codes = await enable(page, server, person);
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) {
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]+(-[0-9A-HJKMNP-TV-Z]+)+$/);
  }
  // The page urges the safer way, and the mailbox is told.
  await expect(page.getByText('You have only one way to log in. Add a second.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Add an authenticator app' })).toBeVisible();
  const [notice] = await server.messages(person.email);
  expect(notice?.body).toContain('Two-factor authentication is on');

  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await expectStatus(page, 'You are logged out.');
  await server.advance(COOL_DOWN);
  await logInWithMessage(page, server, person, 'sms', 'Request Token via SMS');
  await expect(page.getByText('Status: Enabled')).toBeVisible();
});

test('a call brings the token as well', async ({ page, server, visit }) => {
  const person = somebody();
  await signUp(page, visit, person);
  await savePhone(page, person);
  await enable(page, server, person);
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await server.advance(COOL_DOWN);
  await logInWithMessage(page, server, person, 'voice', 'Call Me Instead');
});

test('the text message tells the token, its life and its site, and nothing about the person', async ({ page, server, visit }) => {
  const person = somebody();
  await signUp(page, visit, person);
  await savePhone(page, person);
  await enable(page, server, person);
  const [message] = await server.messages(person.e164);
  const token = await server.tokenSentTo(person.e164);
  expect(message?.body).toBe(
    `Twofold: don't share this token with anyone. Your token is ${token}. It expires in 5 minutes.\n\n@127.0.0.1 #${token}`,
  );
});

test('before the code is confirmed nothing has changed, and cancelling leads back', async ({ page, server, visit, anotherBrowser }) => {
  const person = somebody();
  await signUp(page, visit, person);
  await savePhone(page, person);
  await press(page, 'Security');
  await arriveAt(page, '/account/security');
  await fill(page, { 'Current password': person.password });
  await press(page, 'Enable Two-Factor Authentication');
  await arriveAt(page, '/account/security/phone');

  const elsewhere = await anotherBrowser();
  await visit('/login', elsewhere);
  await fill(elsewhere, { 'Username or email': person.email, 'Password': person.password });
  await press(elsewhere, 'Log In');
  await arriveAt(elsewhere, '/account/security');
  await expect(elsewhere.getByText('Status: Disabled')).toBeVisible();

  await press(page, 'Cancel');
  await arriveAt(page, '/account/security');
  await expect(page.getByText('Status: Disabled')).toBeVisible();
  expect(await server.messages(person.email)).toEqual([]);
});

test('the code of the phone can be sent again or called in, after a wait that is said', async ({ page, server, visit, withScripts }) => {
  const person = somebody();
  await signUp(page, visit, person);
  await savePhone(page, person);
  await press(page, 'Security');
  await arriveAt(page, '/account/security');
  await fill(page, { 'Current password': person.password });
  await press(page, 'Enable Two-Factor Authentication');
  await arriveAt(page, '/account/security/phone');
  const first = await server.tokenSentTo(person.e164);

  const again = page.getByRole('button', { name: 'Send Again' });
  if (withScripts) {
    await expect(again).toHaveAttribute('aria-disabled', 'true');
    await expect(page.getByText(/^You can request a new token in \d+ s$/)).toBeVisible();
  } else {
    await again.click();
    await expect(page.getByRole('alert')).toHaveText(/You can request a new token after \d\d:\d\d UTC\./);
  }
  expect(await server.messages(person.e164)).toHaveLength(1);

  await server.advance(COOL_DOWN);
  await visit('/account/security/phone');
  await press(page, 'Call Me Instead');
  await expect.poll(async () => (await server.messages(person.e164))[0]?.channel).toBe('voice');
  const second = await server.tokenSentTo(person.e164, 'voice');
  if (first !== second) {
    await visit('/account/security/phone');
    await fill(page, { 'Code from the message': first });
    await press(page, 'Confirm');
    await expect(page.getByRole('alert')).toHaveText(/That token is not right/);
  }
  await fill(page, { 'Code from the message': second });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security/recovery-codes');
});

test('a phone that another token account has brings no devices, which is told to who has proven it', async ({
  page,
  server,
  visit,
  anotherBrowser,
}) => {
  const owner = somebody();
  await signUp(page, visit, owner);
  await savePhone(page, owner);
  await enable(page, server, owner);

  await server.advance(COOL_DOWN);
  const other = await anotherBrowser();
  const second = { ...somebody(), phone: owner.phone, e164: owner.e164 };
  await signUp(other, (path) => visit(path, other), second);
  await savePhone(other, second);
  await press(other, 'Security');
  await arriveAt(other, '/account/security');
  await fill(other, { 'Current password': second.password });
  await press(other, 'Enable Two-Factor Authentication');
  await arriveAt(other, '/account/security/phone');
  await fill(other, { 'Code from the message': await server.tokenSentTo(second.e164) });
  await press(other, 'Confirm');
  await arriveAt(other, '/account/security/recovery-codes');
  await visit('/account/security', other);
  await expect(other.getByText('Status: Enabled')).toBeVisible();
  await expect(other.getByText(/belongs to another token account/)).toBeVisible();
});
