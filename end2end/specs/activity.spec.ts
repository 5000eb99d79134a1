import { Client, withApp, withPassword } from '../support/client.ts';
import { arriveAt, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

test('everybody finds what happened at their account, newest first, and nobody else\'s', async ({
  page,
  context,
  server,
  visit,
}) => {
  const { person, client } = await withApp(server);
  const other = await withPassword(server);
  const stranger = new Client(server);
  await stranger.post('/api/log_in', { name: person.username, password: 'not their password' });
  await stranger.post('/api/log_in', { name: other.person.username, password: 'not their password' });

  await client.handOver(context);
  await visit('/account/security');
  await press(page, 'Recent activity');
  await arriveAt(page, '/account/security/activity');
  const events = page.getByRole('table', { name: 'Events' }).getByRole('row');
  await expect(events.nth(1)).toContainText('A wrong password was typed.');
  await expect(events.nth(1)).toContainText(stranger.address);
  await expect(events.filter({ hasText: 'A wrong password was typed.' })).toHaveCount(1);
  await expect(events.filter({ hasText: 'A new way to get tokens was confirmed.' })).toHaveCount(2);
  await expect(events.filter({ hasText: 'Authenticator app.' }).first()).toContainText(client.address);
  await expect(events.filter({ hasText: '(this browser)' }).first()).toBeVisible();
});

test('older activity is a page away', async ({ page, context, server, visit }) => {
  const { person, client } = await withPassword(server);
  for (let tries = 0; tries < 55; tries += 1) {
    await new Client(server).post('/api/log_in', { name: person.username, password: 'not their password' });
  }
  await client.handOver(context);
  await visit('/account/security/activity');
  await press(page, 'Older activity');
  await expect(page.getByRole('row').filter({ hasText: 'The practice was created.' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Older activity' })).toHaveCount(0);
});
