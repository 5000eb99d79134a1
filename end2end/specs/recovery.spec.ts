import { readFile } from 'node:fs/promises';

import type { Page } from '@playwright/test';

import { Client, withApp, withSms } from '../support/client.ts';
import { type Person, somebody } from '../support/people.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

const NOT_RIGHT = 'That recovery code is not right, or it has been used.';

async function toRecovery(page: Page, visit: (path: string) => Promise<unknown>, person: Person) {
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await press(page, 'Use a recovery code');
  await arriveAt(page, '/login/recovery');
}

async function shownCodes(page: Page): Promise<string[]> {
  const codes = await page.getByRole('listitem').filter({ has: page.locator('code') }).allInnerTexts();
  expect(codes).toHaveLength(10);
  return codes;
}

test('a recovery code logs in once, however it is written, and the mailbox is told', async ({ page, server, visit }) => {
  const { person, codes } = await withSms(server);
  const [code = ''] = codes;
  await toRecovery(page, visit, person);
  await expect(page.getByText('10 left.')).toBeVisible();
  await fill(page, { 'Recovery code': code.toLowerCase().replaceAll('-', ' ') });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
  await expect(page.getByRole('region', { name: 'Recovery codes' })).toContainText('9 of 10 left.');
  const [notice] = await server.messages(person.email);
  expect(notice?.body).toContain('A recovery code was used');
  expect(notice?.body).toContain('Codes left: 9.');

  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await toRecovery(page, visit, person);
  await fill(page, { 'Recovery code': code });
  await press(page, 'Log In');
  await expectError(page, NOT_RIGHT);
});

test('a text that is no recovery code costs no try', async ({ page, server, visit }) => {
  const { person } = await withSms(server);
  await toRecovery(page, visit, person);
  for (const [text, error] of [
    ['', 'Enter a recovery code'],
    ['123456', 'A recovery code has 26 letters and digits'],
  ] as const) {
    await fill(page, { 'Recovery code': text });
    await press(page, 'Log In');
    await expectError(page, error);
  }
  await expect(page.getByText(/tries left/)).toHaveCount(0);
});

test('the code of somebody else is refused', async ({ page, server, visit }) => {
  const [mine, theirs] = [await withSms(server), await withSms(server)];
  await toRecovery(page, visit, mine.person);
  await fill(page, { 'Recovery code': theirs.codes[0] ?? '' });
  await press(page, 'Log In');
  await expectError(page, NOT_RIGHT);
});

test('the codes can be stored as a file, and are shown until they are', async ({ page, context, server, visit, withScripts }) => {
  const [person, client] = [somebody(), new Client(server)];
  await client.signUp(person);
  await client.startEnabling(person);
  await client.post('/api/confirm_phone', { token: await server.tokenSentTo(person.e164) });
  await client.handOver(context);
  await visit('/account/security');
  await expect(page.getByText('Your recovery codes are not stored yet.')).toBeVisible();
  await press(page, 'Store them now');
  await arriveAt(page, '/account/security/recovery-codes');
  const codes = await shownCodes(page);

  const [download] = await Promise.all([page.waitForEvent('download'), press(page, 'Download')]);
  expect(download.suggestedFilename()).toBe(`twofold-recovery-codes-${person.username}.txt`);
  const file = await readFile(await download.path(), 'utf8');
  for (const text of [...codes, person.username, person.practice]) {
    expect(file).toContain(text);
  }
  await expect(page.getByRole('button', { name: 'Print' })).toHaveCount(withScripts ? 1 : 0);
  await expect(page.getByRole('button', { name: 'Copy' })).toHaveCount(withScripts ? 1 : 0);
  await expect(page.getByText("To print them, use your browser's print command.")).toBeVisible({ visible: !withScripts });

  // Without the acknowledgement the page stays.
  await press(page, 'Done');
  await expectError(page, 'Store the codes, then check the box.');
  await page.getByLabel('I have stored these codes').check();
  await press(page, 'Done');
  await arriveAt(page, '/account/security');
  await expectStatus(page, 'your recovery codes are stored');
  await visit('/account/security/recovery-codes');
  await arriveAt(page, '/account/security');
});

test('a new set makes the old one void', async ({ page, context, server, visit, anotherBrowser }) => {
  const { person, client, codes: old } = await withSms(server);
  await client.handOver(context);
  await visit('/account/security');
  await press(page, 'Replace recovery codes');
  await arriveAt(page, '/account/security/recovery-codes');
  const fresh = await shownCodes(page);
  expect(fresh.filter((code) => old.includes(code))).toEqual([]);

  const elsewhere = await anotherBrowser();
  await toRecovery(elsewhere, (path) => visit(path, elsewhere), person);
  await fill(elsewhere, { 'Recovery code': old[0] ?? '' });
  await press(elsewhere, 'Log In');
  await expectError(elsewhere, NOT_RIGHT);
  await fill(elsewhere, { 'Recovery code': fresh[0] ?? '' });
  await press(elsewhere, 'Log In');
  await arriveAt(elsewhere, '/account/security');
});

test('few codes left is said', async ({ page, server, visit }) => {
  const { person, codes } = await withSms(server);
  for (const code of codes.slice(0, 6)) {
    const client = new Client(server);
    await client.logIn(person);
    await client.post('/api/check_recovery_code', { recovery_code: code });
  }
  await toRecovery(page, visit, person);
  await fill(page, { 'Recovery code': codes[6] ?? '' });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
  await expect(page.getByRole('region', { name: 'Recovery codes' })).toContainText('3 of 10 left.');
  await expect(page.getByText('Few codes are left. Make a new set.')).toBeVisible();
});

test('a recovery code counts against the same budget as tokens', async ({ page, server, visit }) => {
  const { person, app } = await withApp(server);
  const stranger = await withSms(server);
  await toRecovery(page, visit, person);
  for (const code of stranger.codes.slice(0, 3)) {
    await fill(page, { 'Recovery code': code });
    await press(page, 'Log In');
    await expectError(page, NOT_RIGHT);
  }
  await expect(page.getByText('You have 2 tries left.')).toBeVisible();
  await press(page, 'Back to the token');
  await arriveAt(page, '/login/token');
  await expect(page.getByText('You have 2 tries left.')).toBeVisible();
  await fill(page, { 'Authorization token': await app.freshToken() });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});
