import { resolve } from 'node:path';

import type { Page } from '@playwright/test';

import { App } from '../support/app.ts';
import { Client, withSms } from '../support/client.ts';
import { BACKUP_PASSWORD, Device, PIN } from '../support/device.ts';
import { type Person, somebody } from '../support/people.ts';
import { arriveAt, expectStatus, fill, press } from '../support/pages.ts';
import { Practice } from '../support/practice.ts';
import { Site } from '../support/site.ts';
import { expect, test } from '../support/test.ts';

/** Below the root of the project. */
const folder = resolve(import.meta.dirname, '../..', process.env['TWOFOLD_SCREENSHOTS'] ?? '');

const maria: Person = {
  ...somebody(),
  practice: 'Elm Street Clinic',
  firstName: 'Maria',
  lastName: 'Lindqvist',
  email: 'maria@sample.test',
  username: 'maria',
};

/** Takes pictures of a page, wide and narrow, light and dark. */
function camera(page: Page) {
  return async (name: string) => {
    for (const width of [1280, 320]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: width > 640 ? 800 : 640 });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true, animations: 'disabled', caret: 'hide' });
      }
    }
  };
}

test('pictures of the main pages', async ({ page, context, server, visit }) => {
  test.setTimeout(120_000);
  const take = camera(page);

  await visit('/signup');
  await take('signup');
  const client = new Client(server);
  await client.signUp(maria);
  await client.savePhone(maria);
  await client.handOver(context);
  await visit('/account/profile');
  await take('profile');
  await visit('/account/security');
  await take('security-off');
  await fill(page, { 'Current password': maria.password });
  await press(page, 'Enable Two-Factor Authentication');
  await arriveAt(page, '/account/security/phone');
  await take('phone');
  await fill(page, { 'Code from the message': await server.tokenSentTo(maria.e164) });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security/recovery-codes');
  await take('recovery-codes');
  await page.getByLabel('I have stored these codes').check();
  await press(page, 'Done');
  await arriveAt(page, '/account/security');
  await press(page, 'Add an authenticator app');
  await arriveAt(page, '/account/security/authenticator');
  await take('authenticator');
  const app = new App(server, await page.getByRole('group', { name: 'Setup key' }).innerText());
  await fill(page, { 'Token from the app': await app.freshToken() });
  await press(page, 'Activate');
  await arriveAt(page, '/account/security');
  await take('security-on');
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await take('login');
  await fill(page, { 'Username or email': maria.username, 'Password': maria.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await take('token');
  await visit('/help/two-factor');
  await take('help');
});

test("pictures of the practice's pages", async ({ page, context, server, visit, anotherBrowser }) => {
  test.setTimeout(240_000);
  const take = camera(page);
  const practice = await Practice.create(server);
  await practice.client.enable(practice.owner);
  const app = await practice.client.addApp();
  const nurse = await practice.add();
  const billing = await practice.add('billing');
  await (await practice.signIn(billing)).enable(billing);
  await practice.client.handOver(context);
  for (const name of ['staff', 'policy', 'coverage', 'audit', 'approvals']) {
    await visit(`/practice/${name}`);
    await take(`practice-${name}`);
  }
  await visit('/practice/staff/new');
  await take('practice-new');
  await visit('/practice/policy');
  await page.getByLabel('Nurse: two-factor authentication').selectOption('Required');
  await page.getByLabel('Nurse: required from').fill(new Date(1000 * (await server.now())).toISOString().slice(0, 10));
  await page.getByLabel('Allow remembered browsers').check();
  await press(page, 'Preview');
  await expect(page.getByRole('heading', { name: 'Preview' })).toBeVisible();
  await take('practice-preview');
  await press(page, 'Save Policy');
  await expectStatus(page, 'Policy saved.');
  await visit('/practice/staff');
  await page.getByRole('row').filter({ hasText: nurse.username }).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { name: '2-Factor Authentication' })).toBeVisible();
  await take('practice-member');
  await press(page, 'Change Details');
  await expect(page.getByLabel('Role')).toBeVisible();
  await take('practice-details');
  await page.goBack();
  await press(page, 'Edit');
  await expect(page.getByLabel('Your password')).toBeVisible();
  await take('practice-enable');
  await visit('/practice/staff');
  await page.getByRole('row').filter({ hasText: billing.username }).getByRole('link', { name: 'View' }).click();
  await press(page, 'Reset Two-Factor Authentication');
  await expect(page.getByLabel('Reason')).toBeVisible();
  await take('practice-reset');

  const hers = await anotherBrowser();
  await (await practice.signIn(nurse)).handOver(hers.context());
  await visit('/login/enrol', hers);
  await camera(hers)('enrol');
  await visit('/login/reset', hers);
  await camera(hers)('lost-phone');
  await new Client(server).post('/api/reset_link', { name: billing.username, password: billing.password, act: 'send' });
  await visit(await server.resetLinkSentTo(billing.email), hers);
  await camera(hers)('lost-phone-link');
  await press(hers, 'Start the 24 Hours');
  await expectStatus(hers, 'The 24 hours have begun.');
  await visit(await server.resetLinkSentTo(billing.e164), hers);
  await camera(hers)('lost-phone-cancel');

  await visit('/account/security/activity');
  await take('activity');
  await visit('/account/check-up');
  await take('check-up');
  await press(page, 'Log Out');
  await fill(page, { 'Username or email': practice.owner.username, 'Password': practice.owner.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await take('token-remember');
  await page.getByLabel('Remember this browser').check();
  await fill(page, { 'Authorization token': await app.freshToken() });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
  await take('security-remembered');
});

test('pictures of the screen lock', async ({ page, context, server, visit }) => {
  const practice = await Practice.create(server);
  await practice.setPolicy({ lock: '5' });
  await practice.client.post('/api/update_profile', { first_name: 'Maria', last_name: 'Lindqvist', pin: '4711' });
  await practice.client.handOver(context);
  await server.advance(301);
  await visit('/locked');
  await arriveAt(page, '/locked');
  await camera(page)('locked');
});

test('pictures of the authenticator', async ({ page, server, anotherBrowser }) => {
  test.setTimeout(240_000);
  const { person, codes } = await withSms(server);
  const device = new Device(server, page);
  let take = camera(page);
  await device.open();
  await take('device-empty');
  await press(page, 'Add Account');
  await fill(page, { 'Cell phone': person.phone, 'Email': person.email });
  await take('device-phone');
  await press(page, 'OK');
  await take('device-channel');
  await server.advance(61);
  await press(page, 'Text Me');
  await device.expectScreen('Enter the code');
  await fill(page, { 'Verification code': await server.tokenSentTo(person.e164) });
  await take('device-code');
  await press(page, 'Verify');
  await device.expectScreen('Protect this device');
  await fill(page, { 'PIN': PIN, 'Confirm PIN': '1' });
  await press(page, 'Set PIN');
  await take('device-pin');
  await device.setPin();
  await device.expectScreen('Back up your accounts');
  await fill(page, { 'Backup password': BACKUP_PASSWORD });
  await take('device-backup');
  await device.turnOnBackup();
  await take('device-token');
  for (const site of [new Site('Harbour Bank of the North'), new Site('Mail'), new Site('Cloud')]) {
    await device.addSite(site);
  }
  await device.choose(person.practice);
  await device.expectBackedUp();
  await take('device-accounts-in-dock');
  await expect(page.getByText('Ends soon')).toBeVisible({ timeout: 35_000 });
  await page.screenshot({ path: `${folder}/device-ends-soon.png` });
  await press(page, 'Accounts');
  await take('device-accounts');
  await press(page, 'Delete Mail');
  await take('device-delete');
  await press(page, 'Delete Mail');
  await expect(page.getByText('Mail was deleted.')).toBeVisible();
  await take('device-undo');
  await press(page, 'Undo');
  await press(page, 'Add Account');
  await take('device-add');
  await press(page, 'Scan a QR code');
  await take('device-scan');
  await press(page, 'Type a key');
  await take('device-key');
  await press(page, 'Back');
  await press(page, 'Back');
  await press(page, 'Settings');
  await take('device-settings');
  for (const name of ['Devices', 'Export', 'Import', 'Change backup password']) {
    await press(page, name);
    if (name === 'Export') {
      await device.proveByPin();
      await expect(page.getByLabel('Password of the file', { exact: true })).toBeVisible();
    }
    await device.expectScreen(name);
    await take(`device-${name.toLowerCase().replaceAll(' ', '-')}`);
    await press(page, 'Back');
  }

  const second = new Device(server, await anotherBrowser());
  await second.ask(person);
  take = camera(second.page);
  await take('device-waiting');
  await device.look();
  await device.expectScreen('Approve a new device');
  await camera(page)('device-approve');
  await second.prove(codes[0] ?? '');
  await second.setPin();
  await second.expectScreen('Restore your backup');
  await take('device-restore');
  await press(second.page, 'Not Now');
  await device.open();
  await take('device-second-token');
  await camera(page)('device-unlock');
});
