import type { BrowserContext, Page } from '@playwright/test';

import { expectAccessible } from '../support/axe.ts';
import { type Signed, withSms } from '../support/client.ts';
import { BACKUP_PASSWORD, Device, PIN } from '../support/device.ts';
import { expectStatus, fill, press } from '../support/pages.ts';
import type { Server } from '../support/server.ts';
import { Site } from '../support/site.ts';
import { SlowDisk } from '../support/storage.ts';
import { expect, PHONE, test } from '../support/test.ts';

interface Backup {
  version: number;
  digest: string;
  blob: string;
}

/** A phone with a practice account, an account elsewhere, and a backup of it. */
async function withBackup(server: Server, page: Page) {
  const signed = await withSms(server);
  const device = new Device(server, page);
  const site = new Site('Mail', { digits: 8, algorithm: 'sha512' });
  await device.setUp(signed.person, 'with a backup');
  await device.addSite(site);
  await device.expectBackedUp();
  return { ...signed, device, site };
}

/** The same person on a new phone, up to the backup password. */
async function untilRestore(server: Server, page: Page, { person, codes }: Signed & { codes: string[] }) {
  const device = new Device(server, page);
  await device.ask(person);
  await device.prove(codes[0] ?? '');
  await device.setPin();
  await device.expectScreen('Restore your backup');
  return device;
}

async function restore(device: Device, password = BACKUP_PASSWORD) {
  await fill(device.page, { 'Backup password': password });
  await press(device.page, 'Restore');
}

/** Puts another backup in the place of the one that the server has. */
async function serve(context: BrowserContext, change: (backup: Backup) => Backup) {
  await context.route('**/api/load_backup', async (route) => {
    const answer = await route.fetch();
    // The server functions answer with JSON in a JSON string, or with the JSON itself.
    const outer = JSON.parse(await answer.text()) as string | Backup;
    const body = typeof outer === 'string' ? JSON.stringify(JSON.stringify(change(JSON.parse(outer) as Backup))) : JSON.stringify(change(outer));
    await route.fulfill({ response: answer, body });
  });
}

/** The backup as a device is given it. */
async function lookAt(device: Device): Promise<Backup> {
  let seen: Backup | undefined;
  await serve(device.page.context(), (backup) => {
    seen = backup;
    return backup;
  });
  await restore(device, 'not the password at all');
  await device.expectRefusal('The backup password is not right.');
  await device.page.context().unrouteAll({ behavior: 'wait' });
  if (!seen) {
    throw new Error('no backup was loaded');
  }
  return seen;
}

async function expectNothingRestored(device: Device) {
  await expect(device.page.getByLabel('Backup password')).toBeVisible();
  await press(device.page, 'Not Now');
  await device.token();
  await expect(device.page.getByRole('navigation', { name: 'Accounts' }).getByRole('button')).toHaveCount(2);
  await expect(device.page.getByText('Mail')).toHaveCount(0);
  // Nor is anything of it on the disk.
  await device.lock();
  await device.unlock();
  await device.token();
  await expect(device.page.getByText('Mail')).toHaveCount(0);
}

test('a lost phone comes back on a new one from its backup', async ({ page, server, anotherBrowser }) => {
  const lost = await withBackup(server, await anotherBrowser(PHONE));
  await lost.device.page.close();

  const device = await untilRestore(server, page, lost);
  await restore(device, 'not the password at all');
  await device.expectRefusal('The backup password is not right.');
  await restore(device);
  await expect(page.getByRole('status').filter({ hasText: '1 account came back' })).toBeVisible();
  await device.choose('Mail');
  await device.expectTokenOf(lost.site);
  expect(await device.token()).toMatch(/^\d{8}$/);
  await device.choose(lost.person.practice);
  expect(await device.token()).toMatch(/^\d{7}$/);

  // It goes on saving to the same backup.
  await device.addSite(new Site('Bank'));
  await device.expectBackedUp();
  await device.lock();
  await device.unlock();
  await expect(page.getByRole('navigation', { name: 'Accounts' })).toContainText('Bank');
});

test('who puts the restore off finds it in Settings, and no second backup is begun', async ({ page, server, anotherBrowser }) => {
  const lost = await withBackup(server, await anotherBrowser(PHONE));
  const device = await untilRestore(server, page, lost);
  await press(page, 'Not Now');
  await press(page, 'Settings');
  await expect(page.getByRole('button', { name: 'Turn on backup' })).toHaveCount(0);
  await press(page, 'Change backup password');
  await expect(page.getByText('No backup of this device is on')).toBeVisible();
  await press(page, 'Restore backup');
  await restore(device);
  await expectStatus(page, '1 account came back');
  await press(page, 'Settings');
  await expect(page.getByRole('button', { name: 'Restore backup' })).toHaveCount(0);
});

test('a backup that the server has already is restored by a recovery code, and not asked for at each look', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  let refused = 0;
  // Another device was quicker, and nothing vouches for this one.
  await page.route('**/api/save_backup', async (route) => {
    refused += 1;
    await route.fulfill({ status: 403, body: JSON.stringify('recovery-code-needed') });
  });
  await press(page, 'Settings');
  await press(page, 'Turn on backup');
  await device.proveByPin();
  await fill(page, { 'Backup password': BACKUP_PASSWORD, 'Confirm backup password': BACKUP_PASSWORD });
  await press(page, 'Turn On Backup');
  await device.expectScreen('Restore your backup');
  await device.expectRefusal('This needs a recovery code');
  await expect(page.getByLabel('Recovery code')).toBeVisible();
  await expectAccessible(page);
  await press(page, 'Not Now');
  await device.token();
  await device.sync();
  await expect(page.getByText('Not backed up', { exact: true })).toBeVisible();
  expect(refused).toBe(1);
});

test('a backup that could not be saved is not said to be, and is saved later', async ({ page, server, expected }) => {
  test.slow();
  expected.push(/status of 503/);
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  const back = await keepAway(page);
  await press(page, 'Settings');
  await press(page, 'Turn on backup');
  await device.proveByPin();
  await fill(page, { 'Backup password': BACKUP_PASSWORD, 'Confirm backup password': BACKUP_PASSWORD });
  await press(page, 'Turn On Backup');
  await expectStatus(page, 'The backup is on, and will be saved as soon as the server can be reached.');
  await expect(page.getByText('Offline: tokens still work')).toBeVisible();

  await press(page, 'Settings');
  await press(page, 'Change backup password');
  await fill(page, { 'Present backup password': BACKUP_PASSWORD, 'Backup password': NEW_PASSWORD, 'Confirm backup password': NEW_PASSWORD });
  await page.locator('form').getByRole('button', { name: 'Change backup password' }).click();
  await expectStatus(page, 'The new password holds on this device.');
  void back();
  await press(page, 'Back');
  await device.sync();
  await device.expectBackedUp();
});

test('what the server refuses is not called offline', async ({ page, server, expected }) => {
  expected.push(/status of 503/);
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  await page.route('**/api/sync_device', (route) => route.fulfill({ status: 503, body: JSON.stringify('busy') }));
  await device.sync();
  await expect(page.getByText('We are very busy right now.')).toBeVisible();
  await page.unrouteAll({ behavior: 'wait' });
  await page.route('**/api/sync_device', (route) => route.fulfill({ status: 503, body: JSON.stringify('unavailable') }));
  await device.sync();
  await expect(page.getByText('Offline: tokens still work')).toBeVisible();
});

test('a device that was approved restores without a recovery code', async ({ page, server, anotherBrowser }) => {
  const { device: first, person, site } = await withBackup(server, await anotherBrowser(PHONE));
  const second = new Device(server, page);
  const number = await second.ask(person);
  await first.sync();
  await press(first.page, number);
  await second.setPin();
  await restore(second);
  await second.choose('Mail');
  await second.expectTokenOf(site);
});

test('two devices take in what the other one adds', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const first = await withBackup(server, await anotherBrowser(PHONE));
  const second = await untilRestore(server, page, first);
  await restore(second);
  await second.choose('Mail');
  await second.addSite(new Site('Bank'));
  await second.expectBackedUp();
  await first.device.addSite(new Site('Shop'));
  await expect(dock(first.device)).toContainText('Bank');
  await first.device.sync();
  await first.device.expectBackedUp();
  await second.addSite(new Site('Cloud'));
  await expect(dock(second)).toContainText('Shop');
  await second.sync();
  await second.expectBackedUp();
  // Also while it has nothing of its own to save.
  await first.device.sync();
  await expect(dock(first.device)).toContainText('Cloud');
});

const NEW_PASSWORD = 'four words nobody guesses';

/** Puts the backup under another password, from the settings on. */
async function changePassword(device: Device, present: string) {
  await fill(device.page, {
    'Present backup password': present,
    'Backup password': NEW_PASSWORD,
    'Confirm backup password': NEW_PASSWORD,
  });
  await device.page.locator('form').getByRole('button', { name: 'Change backup password' }).click();
}

test('the backup password is changed, and the old one restores nothing', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const old = await withBackup(server, await anotherBrowser(PHONE));
  await press(old.device.page, 'Settings');
  await press(old.device.page, 'Change backup password');
  await changePassword(old.device, 'not the password at all');
  await old.device.expectRefusal('The present backup password is not right.');
  await changePassword(old.device, BACKUP_PASSWORD);
  await expect(old.device.page.getByRole('status').filter({ hasText: 'new password' })).toBeVisible();

  const device = await untilRestore(server, page, old);
  await restore(device);
  await device.expectRefusal('The backup password is not right.');
  await restore(device, NEW_PASSWORD);
  await device.choose('Mail');
});

test('a backup password that was changed elsewhere is asked for at once, and opens this device then', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const first = await withBackup(server, await anotherBrowser(PHONE));
  const second = await untilRestore(server, page, first);
  await restore(second);
  await second.choose('Mail');
  await press(first.device.page, 'Settings');
  await press(first.device.page, 'Change backup password');
  await changePassword(first.device, BACKUP_PASSWORD);
  await expect(first.device.page.getByRole('status').filter({ hasText: 'The backup has its new password.' })).toBeVisible();

  await second.sync();
  await expect(page.getByText('Do you still know your backup password?')).toBeVisible();
  await press(page, 'Check');
  await fill(page, { 'Backup password': NEW_PASSWORD });
  await press(page, 'Check');
  await expect(page.getByRole('status').filter({ hasText: 'That is your backup password.' })).toBeVisible();
  await second.lock();
  await press(page, 'Forgot the PIN?');
  await fill(page, { 'Backup password': NEW_PASSWORD });
  await press(page, 'Unlock with the backup password');
  await second.expectScreen('Change PIN');
});

/** Up to the new password, past the PIN. */
async function forget(device: Device, pin = PIN) {
  await press(device.page, 'Settings');
  await press(device.page, 'I forgot the backup password');
  await fill(device.page, { PIN: pin });
  await press(device.page, 'Continue');
}

/** Sets another backup password in place of the forgotten one. */
async function setAnew(device: Device, password: string) {
  await fill(device.page, { 'Backup password': password, 'Confirm backup password': password });
  await press(device.page, 'Set backup password');
  await expectStatus(device.page, 'Versions that were saved before stay sealed under the old one.');
  await press(device.page, 'Back');
}

test('who has forgotten the backup password sets another one on the open device', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const old = await withBackup(server, await anotherBrowser(PHONE));
  const phone = old.device.page;
  const saved = keepSaved(phone);
  await forget(old.device, '000000');
  await old.device.expectRefusal('That PIN is not right. You have 9 tries left.');
  await expect(phone.getByLabel('PIN', { exact: true })).toBeFocused();
  await expectAccessible(phone);
  // The try counts at the lock too, though a change has been written since.
  await press(phone, 'Back');
  await phone.getByLabel('Lock by itself after').selectOption('15 minutes');
  await press(phone, 'Lock now');
  await old.device.unlock('000000');
  await old.device.expectRefusal('You have 8 tries left.');
  await old.device.unlock();
  await forget(old.device);
  await old.device.expectScreen('New backup password');
  await expectAccessible(phone);
  await fill(phone, { 'Backup password': 'fourteen letters', 'Confirm backup password': NEW_PASSWORD });
  await expect(phone.locator('.strength')).toHaveText('Good');
  await press(phone, 'Set backup password');
  await old.device.expectRefusal('The two passwords are not the same');
  await setAnew(old.device, NEW_PASSWORD);
  await old.device.expectBackedUp();
  expect(saved.map(({ version }) => version)).toEqual([3]);

  const device = await untilRestore(server, page, old);
  await restore(device);
  await device.expectRefusal('The backup password is not right.');
  await restore(device, NEW_PASSWORD);
  await device.choose('Mail');

  // It is the one in place of the PIN, too.
  await old.device.lock();
  await press(phone, 'Forgot the PIN?');
  await fill(phone, { 'Backup password': BACKUP_PASSWORD });
  await press(phone, 'Unlock with the backup password');
  await old.device.expectRefusal('That password is not right.');
  await fill(phone, { 'Backup password': NEW_PASSWORD });
  await press(phone, 'Unlock with the backup password');
  await old.device.expectScreen('Change PIN');
});

test('a new backup password loses nothing of another device, which asks for it once', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const first = await withBackup(server, await anotherBrowser(PHONE));
  const second = await untilRestore(server, page, first);
  await restore(second);
  await second.choose('Mail');
  await second.addSite(new Site('Bank'));
  await second.expectBackedUp();
  // The first one has not seen that version, whose key is the old one.
  await forget(first.device);
  await setAnew(first.device, NEW_PASSWORD);
  await expect(dock(first.device)).toContainText('Bank');
  await first.device.expectBackedUp();

  await second.sync();
  await second.expectScreen('Restore your backup');
  await second.expectRefusal('Another device has given the backup a new key. Enter its new password.');
  await restore(second, NEW_PASSWORD);
  await second.addSite(new Site('Shop'));
  await second.expectBackedUp();
});

test('without the server the forgotten password stays', async ({ page, server, expected }) => {
  test.slow();
  expected.push(/status of 503/);
  const { device } = await withBackup(server, page);
  const back = await keepAway(page);
  await forget(device);
  await fill(page, { 'Backup password': NEW_PASSWORD, 'Confirm backup password': NEW_PASSWORD });
  await press(page, 'Set backup password');
  await device.expectRefusal("We can't do this right now. Nothing was changed.");
  await device.expectScreen('New backup password');
  void back();
  await setAnew(device, NEW_PASSWORD);
});

test('ten wrong PINs close the device also where it asks for one while it is open', async ({ page, server }) => {
  test.slow();
  const { device } = await withBackup(server, page);
  await press(page, 'Settings');
  await press(page, 'I forgot the backup password');
  for (let left = 9; left >= 0; left -= 1) {
    await fill(page, { PIN: '000000' });
    await press(page, 'Continue');
    await device.expectRefusal(left > 0 ? `You have ${left} tr` : 'Too many wrong PINs');
  }
  await device.expectScreen('Without the PIN');
  await device.open();
  await device.expectScreen('Without the PIN');
  await fill(page, { 'Backup password': BACKUP_PASSWORD });
  await press(page, 'Unlock with the backup password');
  await device.expectScreen('Change PIN');
});

test('once in a month the backup password is asked for, and checked on the device', async ({ page, server }) => {
  test.slow();
  const { device } = await withBackup(server, page);
  const question = page.getByText('Do you still know your backup password?');
  const after = async (days: number) => {
    await server.advance(days * 86_400);
    await device.sync();
    await device.lock();
    await device.unlock();
    await device.token();
  };
  await after(29);
  await expect(question).toHaveCount(0);
  await after(2);
  await expect(question).toBeVisible();
  await press(page, 'Not Now');
  await expect(question).toHaveCount(0);
  await after(6);
  await expect(question).toHaveCount(0);
  await after(2);
  await expect(question).toBeVisible();

  const sent: string[] = [];
  page.on('request', (request) => sent.push(request.postData() ?? ''));
  await press(page, 'Check');
  await device.expectScreen('Do you still know your backup password?');
  await expectAccessible(page);
  await fill(page, { 'Backup password': 'not the password at all' });
  await press(page, 'Check');
  await device.expectRefusal('That is not your backup password.');
  await expect(page.getByRole('button', { name: 'I forgot the backup password' })).toBeVisible();
  await fill(page, { 'Backup password': BACKUP_PASSWORD });
  await press(page, 'Check');
  await expect(page.getByRole('status').filter({ hasText: 'That is your backup password.' })).toBeVisible();
  expect(sent.join()).not.toMatch(/password|words/);
  await after(29);
  await expect(question).toHaveCount(0);
});

test('a weak backup password is refused, and its strength is said in a word', async ({ page, server }) => {
  const { person } = await withSms(server);
  const device = new Device(server, page);
  await device.open();
  await press(page, 'Add Account');
  await device.register(person);
  await device.setPin();
  await device.expectScreen('Back up your accounts');
  for (const [password, word] of [['short', 'Too short'], ['ten letter', 'Fair'], ['fourteen letters', 'Good'], ['four words nobody guesses', 'Strong']] as const) {
    await fill(page, { 'Backup password': password });
    await expect(page.locator('.strength')).toHaveText(word);
    await expect(page.locator('.strength i')).toBeVisible();
  }
  await fill(page, { 'Backup password': 'short', 'Confirm backup password': 'short' });
  await press(page, 'Turn On Backup');
  await device.expectRefusal('Use at least 10 characters');
  await fill(page, { 'Backup password': BACKUP_PASSWORD, 'Confirm backup password': `${BACKUP_PASSWORD}!` });
  await press(page, 'Turn On Backup');
  await device.expectRefusal('The two passwords are not the same');
});

test('a backup that is not whole is refused, and nothing of it is taken', async ({ page, context, server, anotherBrowser }) => {
  test.slow();
  const bytes = (change: (blob: Buffer) => Buffer) => (backup: Backup) => ({
    ...backup,
    blob: change(Buffer.from(backup.blob, 'base64url')).toString('base64url'),
  });
  const flipped = (place: (blob: Buffer) => number) =>
    bytes((blob) => {
      const index = place(blob);
      blob.writeUInt8(blob.readUInt8(index) ^ 1, index);
      return blob;
    });
  const damaged = 'The backup is damaged, so nothing of it was taken.';
  const cases: [string, (backup: Backup) => Backup, string][] = [
    ['cut short', bytes((blob) => blob.subarray(0, -1)), damaged],
    ['cut in its head', bytes((blob) => blob.subarray(0, 60)), damaged],
    ['empty', bytes(() => Buffer.alloc(0)), damaged],
    ['no base64', (backup) => ({ ...backup, blob: `${backup.blob}=` }), damaged],
    ['no backup at all', bytes((blob) => Buffer.alloc(blob.length)), damaged],
    ['changed in its last byte', flipped((blob) => blob.length - 1), damaged],
    ['changed in its content', flipped((blob) => blob.length - 60), damaged],
    ['of a newer format', bytes((blob) => (blob.writeUInt8(3, 8), blob)), 'made by a newer version'],
    // A key that does not open and a wrong password are the same thing.
    ['changed in its key', flipped(() => 60), 'The backup password is not right.'],
  ];
  const lost = await withBackup(server, await anotherBrowser(PHONE));
  const device = await untilRestore(server, page, lost);
  for (const [name, change, text] of cases) {
    await test.step(name, async () => {
      await serve(context, change);
      await restore(device);
      await device.expectRefusal(text);
      await context.unrouteAll({ behavior: 'wait' });
      // Taken back, so that the next refusal is a new one.
      await lookAt(device);
    });
  }
  await expectNothingRestored(device);
});

test("another account's backup is refused", async ({ page, context, server, anotherBrowser }) => {
  test.slow();
  const theirs = await withBackup(server, await anotherBrowser(PHONE));
  const stolen = await lookAt(await untilRestore(server, await anotherBrowser(), theirs));
  const mine = await withBackup(server, await anotherBrowser(PHONE));
  const device = await untilRestore(server, page, mine);
  await serve(context, () => stolen);
  await restore(device);
  await device.expectRefusal('This is the backup of another token account. Nothing of it was taken.');
  await expectNothingRestored(device);
});

/** Keeps what a device saves and the server answers. */
function keepSaved(page: Page): Backup[] {
  const saved: Backup[] = [];
  page.on('response', (response) => {
    if (response.url().endsWith('/api/save_backup') && response.status() !== 503) {
      const fields = new URLSearchParams(response.request().postData() ?? '');
      saved.push({ version: Number(fields.get('version')), digest: '', blob: fields.get('blob') ?? '' });
    }
  });
  return saved;
}

/**
 * Does without the server until the returned function is called. From then on each backup waits for what that was given;
 * its promise is kept when the first one does.
 */
async function keepAway(page: Page): Promise<(until?: Promise<void>) => Promise<void>> {
  let gate: Promise<void> | undefined;
  let isReached = () => {};
  const reached = new Promise<void>((resolve) => (isReached = resolve));
  await page.route('**/api/save_backup', async (route) => {
    if (!gate) {
      return route.fulfill({ status: 503, body: JSON.stringify('unavailable') });
    }
    isReached();
    await gate;
    return route.continue();
  });
  return async (until = Promise.resolve()) => {
    gate = until;
    return reached;
  };
}

function dock(device: Device) {
  return device.page.getByRole('navigation', { name: 'Accounts' });
}

test('one backup is on its way at a time, and what changes meanwhile follows it', async ({ page, server, expected }) => {
  expected.push(/status of 503/);
  const { device } = await withBackup(server, page);
  const saved = keepSaved(page);
  // Without the server for a moment, so that the next look has something to save.
  const back = await keepAway(page);
  await device.addSite(new Site('Bank'));
  await expect(page.getByText('Offline')).toBeVisible();

  let letThrough = () => {};
  const onItsWay = back(new Promise<void>((resolve) => (letThrough = resolve)));
  await device.sync();
  await onItsWay;
  await device.sync();
  await device.addSite(new Site('Shop'));
  letThrough();
  await device.expectBackedUp();
  expect(saved.map(({ version }) => version)).toEqual([3, 4]);
  await expect(page.getByRole('alert').filter({ hasText: /\w/ })).toHaveCount(0);
  await device.sync();
  await device.expectBackedUp();
  expect(saved).toHaveLength(2);
});

test('what is changed while another change is being written is not lost, nor is the other', async ({ page, server, expected }) => {
  expected.push(/status of 503/);
  const { device } = await withBackup(server, page);
  const saved = keepSaved(page);
  const back = await keepAway(page);
  await device.addSite(new Site('Bank'));
  await expect(page.getByText('Offline')).toBeVisible();

  // That the server has a version is being written when an account is added.
  const disk = await SlowDisk.of(page);
  const onItsWay = back();
  await device.sync();
  await onItsWay;
  await disk.holds(1);
  await press(page, 'Add Account');
  await press(page, 'Type a key');
  await fill(page, { 'Account name': 'Shop', 'Setup key': new Site('Shop').typed });
  await press(page, 'Add');
  await disk.release();
  await device.expectScreen('Shop');
  await device.expectBackedUp();
  // Had the first been lost, version 3 would have been tried twice.
  expect(saved.map(({ version }) => version)).toEqual([3, 4]);
  await device.lock();
  await device.unlock();
  await expect(dock(device)).toContainText('Bank');
  await expect(dock(device)).toContainText('Shop');
});

test('what was deleted on one device goes from the other, and what is added again afterwards stays', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const first = await withBackup(server, await anotherBrowser(PHONE));
  const second = await untilRestore(server, page, first);
  await restore(second);
  await second.choose('Mail');
  await press(first.device.page, 'Accounts');
  await press(first.device.page, 'Delete Mail');
  await expect(first.device.page.getByText('on your other devices that share the backup')).toBeVisible();
  await press(first.device.page, 'Delete Mail');
  await press(first.device.page, 'Back');
  await first.device.expectBackedUp();
  // The other device still has it until it takes in what the first one has saved.
  await second.addSite(new Site('Bank'));
  await expect(page.getByText('1 account was deleted on another device, so it is gone here too.')).toBeVisible();
  await expect(dock(second)).not.toContainText('Mail');
  await second.sync();
  await second.expectBackedUp();
  await first.device.addSite(new Site('Shop'));
  await expect(dock(first.device)).toContainText('Bank');
  await expect(dock(first.device)).not.toContainText('Mail');
  await first.device.sync();
  await first.device.expectBackedUp();

  await second.addSite(first.site);
  await expect(dock(second)).toContainText('Shop');
  await second.sync();
  await second.expectBackedUp();
  await first.device.addSite(new Site('Cloud'));
  await first.device.choose('Mail');
  await first.device.expectTokenOf(first.site);
});

test('a deletion that is undone takes nothing from the other device', async ({ page, server, anotherBrowser }) => {
  test.slow();
  const first = await withBackup(server, await anotherBrowser(PHONE));
  const second = await untilRestore(server, page, first);
  await restore(second);
  await second.choose('Mail');
  await press(first.device.page, 'Accounts');
  await press(first.device.page, 'Delete Mail');
  await press(first.device.page, 'Delete Mail');
  await press(first.device.page, 'Undo');
  await expect(first.device.page.getByText('Mail was deleted.')).toHaveCount(0);
  await press(first.device.page, 'Back');
  await first.device.expectBackedUp();
  await second.addSite(new Site('Bank'));
  await second.sync();
  await second.expectBackedUp();
  await expect(dock(second)).toContainText('Mail');
});

test('an older backup is refused by a device that has seen a newer one', async ({ page, context, server, anotherBrowser }) => {
  test.slow();
  const saved = keepSaved(page);
  const first = await withBackup(server, page);
  expect(new Set(saved.map(({ version }) => version))).toEqual(new Set([1, 2]));
  const second = await untilRestore(server, await anotherBrowser(PHONE), first);
  await restore(second);
  await second.choose('Mail');
  await second.addSite(new Site('Bank'));
  await second.expectBackedUp();

  // The other device has saved, so this one looks; and the server gives its first backup out again.
  await serve(context, () => ({ ...saved[0], digest: 'any' }) as Backup);
  await first.device.addSite(new Site('Shop'));
  await first.device.expectRefusal('The server offers an old backup (version 1), but this device has seen version 2.');
  await expect(dock(first.device)).toContainText('Mail');
  await expect(dock(first.device)).not.toContainText('Bank');
  await context.unrouteAll({ behavior: 'wait' });
  await first.device.sync();
  await expect(dock(first.device)).toContainText('Bank');
});

test('a backup that branched off from what the device has seen is refused', async ({ page, context, server, anotherBrowser }) => {
  test.slow();
  const first = await withBackup(server, page);
  const second = await untilRestore(server, await anotherBrowser(PHONE), first);
  await restore(second);
  await second.choose('Mail');

  // The server says that it has saved the third version, and throws it away.
  await context.route('**/api/save_backup', async (route) => {
    const key = new URLSearchParams(route.request().postData() ?? '').get('device_key') ?? '';
    const response = await route.fetch({
      url: `${server.url}/api/sync_device`,
      postData: new URLSearchParams({ device_key: key }).toString(),
    });
    await route.fulfill({ response });
  });
  await first.device.addSite(new Site('Shop'));
  await expect(first.device.page.getByText('The server has an old backup. Tell your administrator.')).toBeVisible();
  await context.unrouteAll({ behavior: 'wait' });
  // Then it takes another third version, from the other device.
  await second.addSite(new Site('Bank'));
  await second.expectBackedUp();

  await first.device.addSite(new Site('Cloud'));
  await first.device.expectRefusal('This backup does not continue the one that this device has seen.');
  await expect(dock(first.device)).toContainText('Shop');
  await expect(dock(first.device)).not.toContainText('Bank');
});
