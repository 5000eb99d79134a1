import { arriveAt, expectStatus, fill, press } from '../support/pages.ts';
import { Practice } from '../support/practice.ts';
import { expect, test } from '../support/test.ts';

const BOX = 'Remember this browser for 14 days';

test('a browser is remembered where the practice allows it, asks for no token, and is forgotten', async ({
  page,
  context,
  server,
  visit,
}) => {
  const practice = await Practice.create(server);
  await practice.client.enable(practice.owner);
  const app = await practice.client.addApp();
  await practice.client.handOver(context);
  await visit('/practice/policy');
  await page.getByLabel('Allow remembered browsers').check();
  await fill(page, { 'Remember for days': '14' });
  await press(page, 'Save Policy');
  await expectStatus(page, 'Policy saved.');
  await press(page, 'Log Out');

  const withPassword = async () => {
    await fill(page, { 'Username or email': practice.owner.username, 'Password': practice.owner.password });
    await press(page, 'Log In');
  };
  await withPassword();
  await arriveAt(page, '/login/token');
  await expect(page.getByLabel(BOX)).not.toBeChecked();
  await expect(page.getByText('Do not use this on a shared or exam-room computer.')).toBeVisible();
  await page.getByLabel(BOX).check();
  await fill(page, { 'Authorization token': await app.freshToken() });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
  await press(page, 'Log Out');

  await withPassword();
  await arriveAt(page, '/account/security');
  const remembered = page.getByRole('region', { name: 'Remembered browsers' });
  await remembered.getByRole('button', { name: /^Forget / }).click();
  await arriveAt(page, '/account/step-up');
  await fill(page, { 'Current password': practice.owner.password, 'Authorization token': await app.freshToken() });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security');
  await remembered.getByRole('button', { name: /^Forget / }).click();
  await expectStatus(page, 'Removed.');
  await expect(remembered).toHaveCount(0);
  await press(page, 'Log Out');
  await withPassword();
  await arriveAt(page, '/login/token');
});

test('where the practice does not allow it, nobody is asked', async ({ page, server, visit }) => {
  const practice = await Practice.create(server);
  await practice.client.enable(practice.owner);
  await visit('/login');
  await fill(page, { 'Username or email': practice.owner.username, 'Password': practice.owner.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await expect(page.getByRole('checkbox')).toHaveCount(0);
});
