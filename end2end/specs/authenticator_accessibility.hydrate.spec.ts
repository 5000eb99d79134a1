import type { Locator, Page } from '@playwright/test';

import { expectAccessible } from '../support/axe.ts';
import { withSms } from '../support/client.ts';
import { BACKUP_PASSWORD, Device, PIN } from '../support/device.ts';
import { fill, press } from '../support/pages.ts';
import { Site } from '../support/site.ts';
import { expect, PHONE, test } from '../support/test.ts';

test('every screen up to the token is accessible', async ({ page, server }) => {
  test.setTimeout(120_000);
  const { person } = await withSms(server);
  const device = new Device(server, page);
  await device.open();
  await expectAccessible(page);
  await press(page, 'Add Account');
  await expectAccessible(page);
  await press(page, 'OK');
  await device.expectRefusal('Enter your cell phone number');
  await expectAccessible(page);
  await fill(page, { 'Cell phone': person.phone, 'Email': person.email });
  await press(page, 'OK');
  await expectAccessible(page);
  await server.advance(61);
  await press(page, 'Text Me');
  await expect(page.getByLabel('Verification code')).toBeVisible();
  await expectAccessible(page);
  await fill(page, { 'Verification code': await server.tokenSentTo(person.e164) });
  await press(page, 'Verify');
  await expect(page.getByLabel('Confirm PIN')).toBeVisible();
  await expectAccessible(page);
  await device.setPin();
  await expect(page.getByLabel('Confirm backup password')).toBeVisible();
  await expectAccessible(page);
  await device.turnOnBackup();
  await expectAccessible(page);
});

test('every screen behind the token is accessible', async ({ page, server }) => {
  test.setTimeout(120_000);
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person, 'with a backup');
  await device.addSite(new Site('Mail'));
  await press(page, 'Add Account');
  await expectAccessible(page);
  await press(page, 'Scan a QR code');
  await expectAccessible(page);
  await press(page, 'Type a key');
  await page.getByText('Digits, hash, period').click();
  await expectAccessible(page);
  await press(page, 'Back');
  await press(page, 'Back');
  await press(page, 'Accounts');
  await expectAccessible(page);
  await press(page, 'Rename Mail');
  await expectAccessible(page);
  await press(page, 'Cancel');
  await press(page, 'Delete Mail');
  await expectAccessible(page);
  await press(page, 'Cancel');
  await press(page, 'Back');
  await press(page, 'Settings');
  await expectAccessible(page);
  for (const name of ['Devices', 'Export', 'Import', 'Change backup password']) {
    await press(page, name);
    if (name === 'Export') {
      await expectAccessible(page);
      await device.proveByPin();
      await expect(page.getByLabel('Password of the file', { exact: true })).toBeVisible();
    }
    await device.expectScreen(name);
    await expectAccessible(page);
    await press(page, 'Back');
  }
  await press(page, 'I forgot the backup password');
  await expectAccessible(page);
  await fill(page, { PIN });
  await press(page, 'Continue');
  await device.expectScreen('New backup password');
  await expectAccessible(page);
  await press(page, 'Back');
  await press(page, 'Lock now');
  await expectAccessible(page);
  await press(page, 'Forgot the PIN?');
  await expect(page.getByLabel('Backup password')).toBeVisible();
  await expectAccessible(page);
});

test('a hidden token is accessible', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await press(page, 'Settings');
  await page.getByLabel('Hide the token until I tap it').check();
  await press(page, 'Back');
  await expect(page.getByRole('group', { name: 'Token for Mail, hidden', exact: true })).toBeVisible();
  await expectAccessible(page);
});

test('both screens of an approval are accessible', async ({ page, server, anotherBrowser }) => {
  const { person } = await withSms(server);
  const [first, second] = [new Device(server, page), new Device(server, await anotherBrowser())];
  await first.setUp(person);
  await second.ask(person);
  await expectAccessible(second.page);
  await first.sync();
  await first.expectScreen('Approve a new device');
  await expectAccessible(page);
});

test('what a lost device leads to is accessible', async ({ page, server, anotherBrowser }) => {
  test.setTimeout(120_000);
  const { person, codes } = await withSms(server);
  const first = new Device(server, await anotherBrowser());
  await first.setUp(person, 'with a backup');
  const device = new Device(server, page);
  await device.ask(person);
  await press(page, 'Use a recovery code');
  await expectAccessible(page);
  await fill(page, { 'Recovery code': codes[0] ?? '' });
  await press(page, 'Continue');
  await device.setPin();
  await device.expectScreen('Restore your backup');
  await expectAccessible(page);
  await fill(page, { 'Backup password': BACKUP_PASSWORD });
  await press(page, 'Restore');
  await device.token();
  await expectAccessible(page);
  // And the other device hears of it.
  await first.sync();
  await expect(first.page.getByText('A device was added to your account')).toBeVisible();
  await expectAccessible(first.page);
});

test('the screens of a PIN and of a deletion are accessible', async ({ page, server }) => {
  test.setTimeout(120_000);
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await device.addSite(new Site('Bank'));
  await press(page, 'Accounts');
  await press(page, 'Delete Bank');
  await press(page, 'Delete Bank');
  await expect(page.getByText('Bank was deleted.')).toBeVisible();
  await expectAccessible(page);
  await press(page, 'Back');
  await press(page, 'Settings');
  await press(page, 'Change PIN');
  await device.proveByPin();
  await expect(page.getByLabel('Confirm PIN')).toBeVisible();
  await expectAccessible(page);
  await press(page, 'Back');
  await press(page, 'Settings');
  await press(page, 'Change backup password');
  await expect(page.getByText('so it has no password yet')).toBeVisible();
  await expectAccessible(page);
  await press(page, 'Back');
  await press(page, 'Back');
  await device.lock();
  await device.unlock('000000');
  await device.expectRefusal('You have 9 tries left.');
  await expectAccessible(page);
  await press(page, 'Forgot the PIN?');
  await press(page, 'Erase this device');
  await expectAccessible(page);
});

/** A person who has nothing but the keyboard. */
function keyboard(page: Page) {
  const tabTo = async (wanted: Locator, name: string) => {
    for (let presses = 0; presses < 20; presses += 1) {
      await page.keyboard.press('Tab');
      if (await wanted.evaluate((element) => element === document.activeElement)) {
        return;
      }
    }
    throw new Error(`Tab does not lead to ${name}`);
  };
  return {
    type: async (label: string, text: string) => {
      await tabTo(page.getByLabel(label, { exact: true }), label);
      await page.keyboard.type(text);
    },
    go: async (name: string) => {
      await tabTo(page.getByRole('button', { name, exact: true }), name);
      await page.keyboard.press('Enter');
    },
  };
}

/** The screen of that heading has appeared, and a screen reader begins there. */
async function expectFocusOn(device: Device, heading: string, title = heading) {
  await device.expectScreen(heading);
  await expect(device.page.getByRole('heading', { level: 1 })).toBeFocused();
  await expect(device.page).toHaveTitle(`${title} – Twofold`);
}

test('each screen begins at its heading, and a wrong field has the keyboard', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await expectFocusOn(device, 'Mail', 'Token');
  await device.addSite(new Site('Bank'));
  await expectFocusOn(device, 'Bank', 'Token');
  await device.choose('Mail');
  await expect(page.getByRole('button', { name: 'Mail', exact: true })).toBeFocused();
  await device.lock();
  await expectFocusOn(device, 'Unlock');

  const { type, go } = keyboard(page);
  await type('PIN', '000000');
  await page.keyboard.press('Enter');
  await device.expectRefusal('You have 9 tries left.');
  await expect(page).toHaveTitle('Error: Unlock – Twofold');
  const pin = page.getByLabel('PIN', { exact: true });
  await expect(pin).toBeFocused();
  await expect(pin).toHaveAttribute('aria-invalid', 'true');
  await expect(pin).toHaveAccessibleDescription(/That PIN is not right/);
  await page.keyboard.type(PIN);
  await expect(pin).not.toHaveAttribute('aria-invalid');
  await expect(page).toHaveTitle('Unlock – Twofold');
  await page.keyboard.press('Enter');
  await expectFocusOn(device, 'Mail', 'Token');

  await go('Accounts');
  await expectFocusOn(device, 'Accounts');
  await go('Rename Mail');
  await expect(page.getByLabel('Site or practice')).toBeFocused();
  await go('Cancel');
  await expectFocusOn(device, 'Accounts');
  await go('Delete Mail');
  await expect(page.getByRole('heading', { name: 'Delete Mail?' })).toBeFocused();
  await go('Delete Mail');
  await expect(page.getByText('Mail was deleted.')).toBeVisible();
  await expectFocusOn(device, 'Accounts');
});

test('the keyboard alone approves a new device, and restores the backup there', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const { person } = await withSms(server);
  const [first, second] = [new Device(server, await anotherBrowser(PHONE)), new Device(server, page)];
  await first.setUp(person, 'with a backup');
  await first.addSite(new Site('Mail'));
  await first.expectBackedUp();
  const number = await second.ask(person);
  await first.sync();
  await expectFocusOn(first, 'Approve a new device');
  await keyboard(first.page).go(number);
  await expectFocusOn(second, 'Protect this device');
  const { type } = keyboard(page);
  await type('PIN', PIN);
  await type('Confirm PIN', PIN);
  await page.keyboard.press('Enter');
  await expectFocusOn(second, 'Restore your backup');
  await type('Backup password', BACKUP_PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('status').filter({ hasText: '1 account came back' })).toBeVisible();
  await expectFocusOn(second, person.practice, 'Token');
});

test('the keyboard alone leads from nothing to a copied token', async ({ page, context, server }) => {
  await context.grantPermissions(['clipboard-write']);
  const { person } = await withSms(server);
  const device = new Device(server, page);
  await device.open();
  const { type, go } = keyboard(page);
  await go('Add Account');
  await type('Cell phone', person.phone);
  await type('Email', person.email);
  await page.keyboard.press('Enter');
  await device.expectScreen('Verify your phone');
  await server.advance(61);
  await go('Text Me');
  await device.expectScreen('Enter the code');
  await type('Verification code', await server.tokenSentTo(person.e164));
  await page.keyboard.press('Enter');
  await device.expectScreen('Protect this device');
  await type('PIN', PIN);
  await type('Confirm PIN', PIN);
  await page.keyboard.press('Enter');
  await device.expectScreen('Back up your accounts');
  await type('Backup password', BACKUP_PASSWORD);
  await type('Confirm backup password', BACKUP_PASSWORD);
  await page.keyboard.press('Enter');
  await device.token();
  await go('Copy');
  await expect(page.getByRole('status').filter({ hasText: /^Copied, \d+ s left$/ })).toBeVisible();
});

test('a long name without a blank fits a narrow phone', async ({ server, anotherBrowser }) => {
  const device = new Device(server, await anotherBrowser(PHONE));
  const { page } = device;
  const site = new Site('somebody.with.a.long.name.and.no.blank_in_it@example-hospital-group-of-the-north.test');
  const expectToFit = async () => expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  await device.setUpAlone(site);
  await device.token();
  await expectToFit();
  await press(page, 'Accounts');
  await expect(page.getByRole('button', { name: site.name, exact: true })).toBeVisible();
  await expectToFit();
  await press(page, `Delete ${site.name}`);
  await expect(page.getByRole('button', { name: 'Cancel' })).toBeVisible();
  await expectToFit();
  await press(page, `Delete ${site.name}`);
  await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
  await expectToFit();
});
