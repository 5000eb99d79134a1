import { expectAccessible } from '../support/axe.ts';
import { Client, withApp } from '../support/client.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import type { Server } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

const WEEKS = 29 * 24 * 60 * 60;

/** Somebody who has typed no token for weeks, signed in with a recovery code. */
async function afterWeeks(server: Server) {
  const { person, codes, app } = await withApp(server);
  await server.advance(WEEKS);
  const client = new Client(server);
  await client.logIn(person);
  await client.post('/api/check_recovery_code', { recovery_code: codes[0] ?? '' });
  return { person, client, app };
}

test('a token proves that the authenticator is at hand, and the question goes away', async ({ page, context, server, visit, withScripts }) => {
  const { client, app } = await afterWeeks(server);
  await client.handOver(context);
  await visit('/account/profile');
  const question = page.getByRole('complementary', { name: 'Two-factor authentication' });
  await expect(question).toContainText('Is your authenticator still at hand?');
  if (withScripts) {
    await expectAccessible(page);
  }
  await press(page, 'Check now');
  await arriveAt(page, '/account/check-up');
  await expect(page.getByRole('link', { name: 'Fix it' })).toHaveAttribute('href', '/account/security');
  const token = await app.freshToken();
  await fill(page, { 'Authorization token': token === '000000' ? '111111' : '000000' });
  await press(page, 'Check');
  await expectError(page, /token is not right/);
  await fill(page, { 'Authorization token': token });
  await press(page, 'Check');
  await arriveAt(page, '/account/security');
  await expectStatus(page, 'It works.');
  await expect(question).toHaveCount(0);
});

test('it is put off for a week, and in nobody\'s way', async ({ page, context, server, visit }) => {
  const { client } = await afterWeeks(server);
  await client.handOver(context);
  await visit('/account/check-up');
  await press(page, 'Remind Me Later');
  await arriveAt(page, '/account/security');
  await expectStatus(page, 'We ask again in a week.');
  await expect(page.getByRole('complementary', { name: 'Two-factor authentication' })).toHaveCount(0);
});
