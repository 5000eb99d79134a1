import type { Page } from '@playwright/test';

import { Client, type Signed, withApp } from '../support/client.ts';
import type { App } from '../support/app.ts';
import type { Server } from '../support/server.ts';
import { arriveAt, expectError, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

// Every worker has a server, and thereby a clock, of its own: these tests move it without disturbing others.

/** Ten wrong tokens, in two sign-ins of five. */
async function lock(server: Server, { person, app }: Signed & { app: App }) {
  const client = new Client(server);
  for (let round = 0; round < 2; round += 1) {
    await client.logIn(person);
    for (let tries = 0; tries < 5; tries += 1) {
      await client.post('/api/check_token', { token: await app.wrongToken() });
    }
  }
}

async function logIn(page: Page, visit: (path: string) => Promise<unknown>, { person }: Signed) {
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
}

const LOCKED = /this account is locked because a wrong token was entered too many times\. Try again after (\d{1,2}:\d\d.*) \(in (\d+) minutes\)/;

test('a locked account says until when, and refuses a right token like a wrong one', async ({ page, server, visit }) => {
  const signed = await withApp(server);
  await lock(server, signed);
  await logIn(page, visit, signed);
  const note = page.getByText(LOCKED);
  await expect(note).toBeVisible();
  expect(Number(LOCKED.exec(await note.innerText())?.[2])).toBeLessThanOrEqual(30);

  const answers: string[] = [];
  for (const token of [await signed.app.wrongToken(), await signed.app.freshToken()]) {
    await fill(page, { 'Authorization token': token });
    await press(page, 'Log In');
    await expectError(page, 'That token is not right');
    answers.push(await page.getByRole('alert').innerText());
    await arriveAt(page, '/login/token');
    await expect(note).toBeVisible();
  }
  expect(answers[0]).toBe(answers[1]);
  expect((await server.messages(signed.person.email)).map((message) => message.body).join()).toContain('locked for a while');
});

test('under the lock a recovery code is refused as well', async ({ page, server, visit }) => {
  const signed = await withApp(server);
  await lock(server, signed);
  await logIn(page, visit, signed);
  await press(page, 'Use a recovery code');
  await arriveAt(page, '/login/recovery');
  await expect(page.getByText(LOCKED)).toBeVisible();
  await fill(page, { 'Recovery code': signed.codes[0] ?? '' });
  await press(page, 'Log In');
  await expectError(page, 'That recovery code is not right');
});

test('after half an hour a right token opens the account again', async ({ page, server, visit }) => {
  const signed = await withApp(server);
  await lock(server, signed);
  await server.advance(30 * 60 + 1);
  await logIn(page, visit, signed);
  await expect(page.getByText(LOCKED)).toHaveCount(0);
  await fill(page, { 'Authorization token': await signed.app.freshToken() });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});

test('a new sign-in or another browser does not lift the lock', async ({ page, server, visit, anotherBrowser }) => {
  const signed = await withApp(server);
  await lock(server, signed);
  const elsewhere = await anotherBrowser();
  for (const browser of [page, elsewhere]) {
    await logIn(browser, (path) => visit(path, browser), signed);
    await expect(browser.getByText(LOCKED)).toBeVisible();
  }
});

test('the lock reaches the step-up and the way to turn it off', async ({ page, context, server, visit }) => {
  const signed = await withApp(server);
  await lock(server, signed);
  await signed.client.handOver(context);
  await visit('/account/security/disable');
  await expect(page.getByText(LOCKED)).toBeVisible();
  await fill(page, { 'Current password': signed.person.password, 'Authorization token': await signed.app.freshToken() });
  await press(page, 'Disable Two-Factor Authentication');
  await expectError(page, 'The password or the token is not right');
  await visit('/account/security');
  await expect(page.getByText('Status: Enabled')).toBeVisible();
});
