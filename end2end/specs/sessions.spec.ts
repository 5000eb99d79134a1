import { Client, withPassword } from '../support/client.ts';
import { arriveAt, expectStatus, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

test('another browser can be ended, after a step-up, and is out at its next request', async ({ page, context, server, visit }) => {
  const { person, client } = await withPassword(server);
  const other = new Client(server, undefined, FIREFOX);
  await other.logIn(person);
  expect((await other.get('/account/profile')).status).toBe(200);

  await client.handOver(context);
  await visit('/account/security');
  const browsers = page.getByRole('region', { name: 'Signed-in browsers' });
  await expect(browsers).toContainText('Firefox on Windows');
  await expect(browsers).toContainText(other.address);
  await expect(browsers.getByText('This browser')).toHaveCount(1);
  await press(page, 'End session: Firefox on Windows');
  await arriveAt(page, '/account/step-up');
  await fill(page, { 'Current password': person.password });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security');
  await press(page, 'End session: Firefox on Windows');
  await expectStatus(page, 'That browser is logged out.');
  await expect(browsers).not.toContainText('Firefox on Windows');
  expect((await other.get('/account/profile')).leadsTo).toBe('/login');
});

test('turning two-factor authentication on ends the other browsers', async ({ page, context, server, visit }) => {
  const { person, client } = await withPassword(server);
  const other = new Client(server, undefined, FIREFOX);
  await other.logIn(person);
  await client.enable(person);
  expect((await other.get('/account/profile')).leadsTo).toBe('/login');
  await client.handOver(context);
  await visit('/account/security');
  await expect(page.getByRole('region', { name: 'Signed-in browsers' }).getByText('This browser')).toHaveCount(1);
  await expect(page.getByRole('button', { name: /^End session/ })).toHaveCount(0);
});

test('logging out ends this browser and no other', async ({ page, context, server, visit }) => {
  const { person, client } = await withPassword(server);
  const other = new Client(server, undefined, FIREFOX);
  await other.logIn(person);
  await client.handOver(context);
  await visit('/account/security');
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  expect((await client.get('/account/profile')).leadsTo).toBe('/login');
  expect((await other.get('/account/profile')).status).toBe(200);
});
