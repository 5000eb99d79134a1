import type { Page } from '@playwright/test';

import { withApp, withPassword, withSms } from '../support/client.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

async function toDisable(page: Page, visit: (path: string) => Promise<unknown>) {
  await visit('/account/security');
  await press(page, 'Disable Two-Factor Authentication');
  await arriveAt(page, '/account/security/disable');
  await expect(page.getByText('Your account will be protected by the password alone.')).toBeVisible();
}

async function expectDisabled(page: Page) {
  await arriveAt(page, '/account/security');
  await expectStatus(page, 'Two-factor authentication is off.');
  await expect(page.getByText('Status: Disabled')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Factors' })).toContainText('No way to get a token yet.');
}

test('password and token turn it off, and the next sign-in takes the password alone', async ({ page, context, server, visit }) => {
  const { person, client, app } = await withApp(server);
  await client.handOver(context);
  await toDisable(page, visit);
  await fill(page, { 'Current password': person.password, 'Authorization token': await app.freshToken() });
  await press(page, 'Disable Two-Factor Authentication');
  await expectDisabled(page);
  expect((await server.messages(person.email))[0]?.body).toContain('Two-factor authentication is off');

  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});

test('a recovery code does in place of the token', async ({ page, context, server, visit }) => {
  const { person, client, codes } = await withSms(server);
  await client.handOver(context);
  await toDisable(page, visit);
  await fill(page, { 'Current password': person.password, 'Authorization token': codes[3] ?? '' });
  await press(page, 'Disable Two-Factor Authentication');
  await expectDisabled(page);
});

test('a text message does as well', async ({ page, context, server, visit }) => {
  const { person, client } = await withSms(server);
  await server.advance(61);
  await client.handOver(context);
  await toDisable(page, visit);
  await press(page, 'Request Token via SMS');
  await expect.poll(async () => (await server.messages(person.e164)).length).toBe(2);
  await arriveAt(page, '/account/security/disable');
  await fill(page, { 'Current password': person.password, 'Authorization token': await server.tokenSentTo(person.e164) });
  await press(page, 'Disable Two-Factor Authentication');
  await expectDisabled(page);
});

test('a wrong password or a wrong token leaves it on, without saying which', async ({ page, context, server, visit }) => {
  const { person, client, app } = await withApp(server);
  await client.handOver(context);
  await toDisable(page, visit);
  const attempts = [
    { 'Current password': 'not my password at all', 'Authorization token': await app.freshToken() },
    { 'Current password': person.password, 'Authorization token': await app.wrongToken() },
  ];
  for (const fields of attempts) {
    await fill(page, fields);
    await press(page, 'Disable Two-Factor Authentication');
    await expectError(page, 'The password or the token is not right');
  }
  await visit('/account/security');
  await expect(page.getByText('Status: Enabled')).toBeVisible();
});

test('where nothing is on, nothing can be turned off', async ({ page, context, server, visit }) => {
  const { client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/security/disable');
  await arriveAt(page, '/account/security');
});
