import { readFile } from 'node:fs/promises';

import type { Page } from '@playwright/test';
import { PNG } from 'pngjs';

import { expectAccessible } from '../support/axe.ts';
import { withSms } from '../support/client.ts';
import { BACKUP_PASSWORD, Device } from '../support/device.ts';
import { expectStatus, fill, press } from '../support/pages.ts';
import { readQrCode } from '../support/qr.ts';
import { Site } from '../support/site.ts';
import { expect, PHONE, test } from '../support/test.ts';

const FILE_PASSWORD = 'a password for the file';
const byThisMachine = () => Math.floor(Date.now() / 1000);

function titles(page: Page) {
  return page.getByRole('navigation', { name: 'Accounts' }).getByRole('button');
}

/** Chooses a file by what it holds. */
async function pick(page: Page, label: string, name: string, mimeType: string, content: Buffer | string) {
  await page.getByLabel(label).setInputFiles({ name, mimeType, buffer: Buffer.from(content) });
}

/** What the browser saves when the button is pressed. */
async function saved(page: Page, button: string): Promise<string> {
  const downloading = page.waitForEvent('download');
  await press(page, button);
  return readFile(await (await downloading).path(), 'utf8');
}

for (const [name, site] of [
  ['a typed key has six digits', new Site('Mail')],
  ['a link says seven digits and SHA-256', new Site('Seven', { digits: 7, algorithm: 'sha256' })],
  ['a link says eight digits, SHA-512 and a minute', new Site('Eight', { digits: 8, algorithm: 'sha512', period: 60 })],
] as const) {
  test(`${name}, and its tokens are right`, async ({ page, server }) => {
    const device = new Device(server, page);
    await device.setUpAlone(site);
    await device.expectTokenOf(site, byThisMachine);
  });
}

test('a typed key makes the tokens that the site says, with digits, hash and period of its own', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  const bank = new Site('Bank', { digits: 8, algorithm: 'sha512', period: 60 });
  await press(page, 'Add Account');
  await press(page, 'Type a key');
  await expect(page.getByLabel('Digits')).toBeHidden();
  await page.getByText('Digits, hash, period').click();
  await page.getByLabel('Digits').selectOption('8');
  await page.getByLabel('Hash').selectOption('SHA512');
  await page.getByLabel('Period in seconds').selectOption('60');
  await fill(page, { 'Account name': bank.name, 'Setup key': bank.key });
  await press(page, 'Add');
  await device.expectScreen('Bank');
  await device.expectTokenOf(bank, byThisMachine);
});

test('a key that cannot be is refused in words, and nothing is added', async ({ page, server }) => {
  const device = new Device(server, page);
  const known = new Site('Mail');
  await device.setUpAlone(known);
  await press(page, 'Add Account');
  await press(page, 'Type a key');
  const link = new Site('Shop').link;
  const refused: [string, string, RegExp][] = [
    ['Shop', 'JBSWY3DPEHPK3PXP0189', /letters A to Z and digits 2 to 7/],
    ['Shop', 'JBSWY3DP', /at least 16 bytes/],
    ['', known.key, /needs a name/],
    ['Shop', link.replace('digits=6', 'digits=9'), /6 to 8 digits/],
    ['Shop', link.replace('period=30', 'period=5'), /15 to 120 seconds/],
    ['Shop', link.replace('/totp/', '/hotp/'), /not an otpauth:\/\/totp\/ link/i],
    ['Shop', link.replace(/secret=\w+/, 'secret='), /key/],
    ['Shop', link.replace('SHA1', 'MD5'), /parameters that nobody knows/],
    ['Again', known.key, /here already/],
  ];
  for (const [account, key, text] of refused) {
    await fill(page, { 'Account name': account, 'Setup key': key });
    await press(page, 'Add');
    await device.expectRefusal(text);
  }
  await press(page, 'Back');
  await press(page, 'Back');
  await expect(titles(page)).toHaveCount(2);
});

test('a QR code is read from a picture', async ({ page, context, server, visit, anotherBrowser }) => {
  const { person, client } = await withSms(server);
  await client.startApp();
  await client.handOver(context);
  await visit('/account/security/authenticator');
  const code = page.getByRole('img', { name: 'QR code for the setup key' });
  const secret = new URL(await readQrCode(code)).searchParams.get('secret') ?? '';

  const device = new Device(server, await anotherBrowser());
  await device.setUpAlone(new Site('Mail'));
  await press(device.page, 'Add Account');
  await press(device.page, 'Scan a QR code');
  const label = 'Or a picture of the code';
  const white = new PNG({ width: 200, height: 200 });
  white.data.fill(255);
  await pick(device.page, label, 'white.png', 'image/png', PNG.sync.write(white));
  await device.expectRefusal('There is no QR code in this picture');
  await pick(device.page, label, 'notes.png', 'image/png', 'no picture');
  await device.expectRefusal('This file is no picture');
  await pick(device.page, label, 'code.png', 'image/png', await code.screenshot());
  await device.expectScreen(`Twofold ${person.practice}`);
  await device.expectTokenOf(new Site('', {}, secret), byThisMachine);
});

test('a camera that is not allowed is said, and the key can be typed', async ({ page, server, context }) => {
  await context.clearPermissions();
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await press(page, 'Add Account');
  await press(page, 'Scan a QR code');
  await press(page, 'Use the camera');
  await device.expectRefusal('The camera cannot be used.');
  await press(page, 'Type a key');
  await device.expectScreen('Type a key');
});

test('accounts are found, renamed and moved, and stay so', async ({ page, server }) => {
  const device = new Device(server, page);
  const sites = [new Site('Mail'), new Site('Bank'), new Site('Shop')];
  await device.setUpAlone(sites[0] as Site);
  await device.addSite(sites[1] as Site);
  await device.addSite(sites[2] as Site);
  await press(page, 'Accounts');
  const list = page.getByRole('listitem');
  await expect(list).toHaveCount(3);
  await fill(page, { Search: 'ban' });
  await expect(list).toHaveCount(1);
  await expect(list).toContainText('Bank');
  await fill(page, { Search: 'nothing like it' });
  await expect(list).toHaveCount(0);
  await fill(page, { Search: '' });

  await press(page, 'Move up Shop');
  await expect(list.nth(1)).toContainText('Shop');
  await press(page, 'Rename Shop');
  await fill(page, { 'Site or practice': 'Corner Shop', 'Account name': 'pat@sample.test' });
  await press(page, 'Save');
  await expect(list.nth(1)).toContainText('Corner Shop');
  await expect(list.nth(1)).toContainText('pat@sample.test');
  await press(page, 'Rename Bank');
  await fill(page, { 'Account name': '' });
  await press(page, 'Save');
  await device.expectRefusal('The account needs a name');
  await press(page, 'Cancel');

  await device.open();
  await device.unlock();
  await device.token();
  await expect(titles(page)).toHaveText([/Mail$/, /Corner Shop$/, /Bank$/, /Add Account$/]);
  await device.choose('Corner Shop');
  await device.expectTokenOf(sites[2] as Site, byThisMachine);
});

test('on a narrow phone with many accounts the dock scrolls, and the way to add one stays', async ({ server, anotherBrowser }) => {
  const page = await anotherBrowser(PHONE);
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  for (const name of ['Bank', 'Shop', 'Cloud', 'School']) {
    await device.addSite(new Site(name));
  }
  await expect(titles(page)).toHaveCount(6);
  const place = await page.getByRole('button', { name: 'Add Account' }).boundingBox();
  expect((place?.x ?? 0) + (place?.width ?? 0)).toBe(320);
  await device.choose('Mail');
  await device.choose('School');
});

test('a deletion names the account, and can be undone', async ({ page, server }) => {
  const device = new Device(server, page);
  const site = new Site('Mail');
  await device.setUpAlone(site);
  await device.addSite(new Site('Bank'));
  await press(page, 'Accounts');
  const list = page.getByRole('listitem');
  await press(page, 'Delete Mail');
  await expect(page.getByRole('heading', { name: 'Delete Mail?' })).toBeVisible();
  await press(page, 'Cancel');
  await expect(list).toHaveCount(2);
  await press(page, 'Delete Mail');
  await press(page, 'Delete Mail');
  await expectStatus(page, 'Mail was deleted.');
  await expect(list).toHaveCount(1);
  await press(page, 'Undo');
  await expect(list).toHaveCount(2);
  await expect(list.first()).toContainText('Mail');
  await press(page, 'Back');
  await device.choose('Mail');
  await device.expectTokenOf(site, byThisMachine);

  await press(page, 'Accounts');
  await press(page, 'Delete Bank');
  await press(page, 'Delete Bank');
  await expect(list).toHaveCount(1);
  await device.open();
  await device.unlock();
  await device.expectScreen('Mail');
  await expect(titles(page)).toHaveCount(2);
});

test('the last account can go, and the way to a first one is shown', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await press(page, 'Accounts');
  await press(page, 'Delete Mail');
  await press(page, 'Delete Mail');
  await press(page, 'Back');
  await device.expectScreen('Authenticator');
  // The vault is there already, and wants no second PIN.
  await press(page, 'Add Account');
  await press(page, 'Add another kind of account');
  await device.expectScreen('Add an account');
});

test('an encrypted export brings the accounts to another device, and the practice account to none', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const device = new Device(server, page);
  const site = new Site('Mail', { digits: 7, algorithm: 'sha256' });
  const { person } = await withSms(server);
  await device.setUp(person);
  await device.addSite(site);
  await press(page, 'Settings');
  await press(page, 'Export');
  await device.proveByPin();
  await fill(page, { 'Password of the file': 'short', 'Confirm password of the file': 'short' });
  await press(page, 'Export encrypted file');
  await device.expectRefusal('Use at least 10 characters');
  await fill(page, { 'Password of the file': FILE_PASSWORD, 'Confirm password of the file': FILE_PASSWORD });
  const file = await saved(page, 'Export encrypted file');
  await expectStatus(page, 'The file is saved.');
  expect(file).toMatch(/^Twofold authenticator export, encrypted, version 1\n[\w+/=\n]+$/);
  expect(file).not.toContain(site.key);

  const other = new Device(server, await anotherBrowser());
  await other.setUpAlone(new Site('Bank'));
  await press(other.page, 'Settings');
  await press(other.page, 'Import');
  await pick(other.page, 'File', 'cut.txt', 'text/plain', file.slice(0, -20));
  await expect(other.page.getByLabel('Password of the file').or(other.page.getByRole('alert').filter({ hasText: /\w/ }))).toBeVisible();
  await pick(other.page, 'File', 'accounts.txt', 'text/plain', file);
  await expect(other.page.getByLabel('Password of the file')).toBeVisible();
  await expectAccessible(other.page);
  await fill(other.page, { 'Password of the file': 'not the one at all' });
  await press(other.page, 'Import');
  await other.expectRefusal('The password of the file is wrong. Nothing was imported.');
  await fill(other.page, { 'Password of the file': FILE_PASSWORD });
  await press(other.page, 'Import');
  await expectStatus(other.page, '1 account was added.');
  await expect(titles(other.page)).toHaveText([/Bank$/, /Mail$/, /Add Account$/]);
  await other.choose('Mail');
  await other.expectTokenOf(site, byThisMachine);
});

test('the list in clear needs the backup password', async ({ page, server }) => {
  const device = new Device(server, page);
  const site = new Site('Mail');
  await device.setUp((await withSms(server)).person, 'with a backup');
  await device.addSite(site);
  await press(page, 'Settings');
  await press(page, 'Export');
  await device.proveByPin();
  await fill(page, { 'Backup password': 'not the password at all' });
  await press(page, 'Export list in clear');
  await device.expectRefusal('The backup password is not right.');
  await fill(page, { 'Backup password': BACKUP_PASSWORD });
  const list = (await saved(page, 'Export list in clear')).trim().split('\n').map((line) => new URL(line));
  expect(list).toHaveLength(1);
  expect(list[0]?.searchParams.get('secret')).toBe(site.key);
  await expectStatus(page, 'delete it as soon as you can');
});

test('without a backup there is no list in clear', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await press(page, 'Settings');
  await press(page, 'Export');
  await device.proveByPin();
  await fill(page, { 'Backup password': BACKUP_PASSWORD });
  await press(page, 'Export list in clear');
  await device.expectRefusal('Turn on the backup first');
});

test('a list with a bad line names the line, and none of it comes in', async ({ page, server }) => {
  const device = new Device(server, page);
  const [known, other] = [new Site('Mail'), new Site('Bank')];
  await device.setUpAlone(known);
  await press(page, 'Settings');
  await press(page, 'Import');
  await pick(page, 'File', 'list.txt', 'text/plain', [other.link, '# a remark', 'otpauth://hotp/Shop?secret=x'].join('\n'));
  await device.expectRefusal(/^Line 3: not an otpauth:\/\/totp\/ link\. Nothing was imported\.$/);
  await pick(page, 'File', 'empty.txt', 'text/plain', '\n\n');
  await device.expectRefusal(/There is no account in it\. Nothing was imported\./);
  await press(page, 'Back');
  await press(page, 'Back');
  await expect(titles(page)).toHaveCount(2);

  await press(page, 'Settings');
  await press(page, 'Import');
  await pick(page, 'File', 'list.txt', 'text/plain', [other.link, known.link].join('\r\n'));
  await expectStatus(page, '1 account was added, 1 was here already.');
  await device.choose('Bank');
  await device.expectTokenOf(other, byThisMachine);
});
