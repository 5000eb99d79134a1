import { withSms } from '../support/client.ts';
import { BACKUP_PASSWORD, Device, PIN } from '../support/device.ts';
import { fill, press } from '../support/pages.ts';
import { Site } from '../support/site.ts';
import { SlowDisk } from '../support/storage.ts';
import { expect, test } from '../support/test.ts';

test('two PINs that differ and one that is short are refused', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.open();
  await press(page, 'Add Account');
  await press(page, 'Add another kind of account');
  await expect(page.getByLabel('PIN', { exact: true })).not.toHaveAttribute('inputmode');
  await fill(page, { 'PIN': '194382', 'Confirm PIN': '194383' });
  await press(page, 'Set PIN');
  await device.expectRefusal('The two PINs are not the same');
  await device.setPin('19438');
  await device.expectRefusal('at least 6 digits');
  await device.setPin();
  await device.expectScreen('Add an account');
});

test('a wrong PIN says how many tries are left, and the right one gives them back', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  for (const left of [9, 8]) {
    await device.open();
    await device.unlock('000000');
    await device.expectRefusal(`That PIN is not right. You have ${left} tries left.`);
    await expect(page.getByLabel('PIN', { exact: true })).toBeFocused();
    await expect(page.getByLabel('PIN', { exact: true })).toHaveValue('');
  }
  await device.unlock();
  await device.expectScreen('Mail');
  await device.lock();
  await device.unlock('000000');
  await device.expectRefusal('You have 9 tries left.');
});

test('after ten wrong PINs only the backup password opens it, and asks for a new PIN', async ({ page, server }) => {
  test.slow();
  const { person } = await withSms(server);
  const device = new Device(server, page);
  await device.setUp(person, 'with a backup');
  await device.lock();
  for (let left = 9; left > 0; left -= 1) {
    await device.unlock('000000');
    await device.expectRefusal(`You have ${left} tr`);
  }
  await device.unlock('000000');
  await device.expectRefusal('Too many wrong PINs. The PIN opens the authenticator no more.');

  // A reload is no way around it.
  await device.open();
  await device.expectScreen('Without the PIN');
  await expect(page.getByLabel('PIN', { exact: true })).toHaveCount(0);
  await fill(page, { 'Backup password': 'some other long password' });
  await press(page, 'Unlock with the backup password');
  await device.expectRefusal('That password is not right.');
  await fill(page, { 'Backup password': BACKUP_PASSWORD });
  await press(page, 'Unlock with the backup password');
  await device.expectScreen('Change PIN');
  await device.setPin('555111');
  await device.expectScreen(person.practice);
  await device.lock();
  await device.unlock(PIN);
  await device.expectRefusal('You have 9 tries left.');
  await device.unlock('555111');
  await device.expectScreen(person.practice);
});

test('without a backup ten wrong PINs leave nothing but to begin anew', async ({ page, server }) => {
  test.slow();
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await device.lock();
  for (let left = 9; left >= 0; left -= 1) {
    await device.unlock('000000');
    await device.expectRefusal(left > 0 ? `You have ${left} tr` : 'Too many wrong PINs');
  }
  await expect(page.getByLabel('Backup password')).toHaveCount(0);
  await press(page, 'Erase this device');
  await expect(page.getByText('Accounts that are in no backup are lost.')).toBeVisible();
  await press(page, 'Erase and begin anew');
  await device.expectScreen('Authenticator');
  await device.open();
  await device.expectScreen('Authenticator');
  await expect(page.getByRole('button', { name: 'Add Account' })).toBeVisible();
});

test('who has not forgotten the PIN after all goes back to it', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await device.lock();
  await press(page, 'Forgot the PIN?');
  await device.expectScreen('Without the PIN');
  await press(page, 'Back');
  await device.unlock();
  await device.expectScreen('Mail');
});

test('a browser that promises nothing is named a risk, until there is a backup', async ({ page, server }) => {
  const risk = page.getByText('This browser may clean its data away.');
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  await expect(risk).toBeVisible();
  await device.open();
  await device.unlock();
  await expect(risk).toBeVisible();
  await press(page, 'Settings');
  await press(page, 'Turn on backup');
  await device.proveByPin();
  await device.turnOnBackup();
  await expect(risk).toHaveCount(0);
});

test('Lock now hides the tokens until the PIN is typed', async ({ page, server }) => {
  const device = new Device(server, page);
  const site = new Site('Mail');
  await device.setUpAlone(site);
  await device.lock();
  await expect(page.getByText('token is')).toHaveCount(0);
  await expect(page.getByText('Mail')).toHaveCount(0);
  await device.unlock();
  await device.expectTokenOf(site, seconds);
});

test('a change that is being written while it is locked opens nothing', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await press(page, 'Add Account');
  await press(page, 'Type a key');
  const disk = await SlowDisk.of(page);
  await fill(page, { 'Account name': 'Shop', 'Setup key': new Site('Shop').typed });
  await press(page, 'Add');
  await disk.holds(1);
  await press(page, 'Back');
  await press(page, 'Back');
  await device.lock();
  await disk.release();
  await device.expectRefusal('The authenticator is locked.');
  await device.expectScreen('Unlock');
  await expect(page.getByText('Mail')).toHaveCount(0);
  await device.unlock();
  await device.expectScreen('Mail');
  await expect(page.getByRole('navigation', { name: 'Accounts' })).toContainText('Shop');
});

test('it locks by itself after the time that its owner chose', async ({ page, server }) => {
  await page.clock.install();
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await press(page, 'Settings');
  await expect(page.getByLabel('Lock by itself after')).toHaveValue('5');
  await page.getByLabel('Lock by itself after').selectOption('1 minute');
  await press(page, 'Back');
  await device.token();
  await page.clock.fastForward(50_000);
  // A touch counts as use.
  await press(page, 'Copy');
  await page.clock.fastForward(50_000);
  await expect(page.getByText('token is')).toBeVisible();
  await page.clock.fastForward(20_000);
  await device.expectScreen('Unlock');
  await device.unlock();
  await device.expectScreen('Mail');
  await press(page, 'Settings');
  await expect(page.getByLabel('Lock by itself after')).toHaveValue('1');
});

test('a phone that slept locks when it is looked at again', async ({ page, server }) => {
  await page.clock.install();
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await page.clock.setSystemTime(Date.now() + 6 * 60_000);
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
  await device.expectScreen('Unlock');
});

test('the PIN is changed, and the old one opens nothing', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await press(page, 'Settings');
  await press(page, 'Change PIN');
  await device.proveByPin();
  await device.setPin('a phrase for my phone');
  await device.expectScreen('Mail');
  await device.lock();
  await device.unlock(PIN);
  await device.expectRefusal('That PIN is not right');
  await device.unlock('a phrase for my phone');
  await device.expectScreen('Mail');
});

test('an open device in another hand opens to nobody else, and each guess at its PIN counts', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  await press(page, 'Settings');
  let left = 10;
  for (const name of ['Change PIN', 'Export', 'Turn on backup']) {
    left -= 1;
    await press(page, name);
    await device.expectScreen(name);
    await expect(page.locator('input')).toHaveCount(1);
    await device.proveByPin('000000');
    await device.expectRefusal(`You have ${left} tries left.`);
    await device.expectScreen(name);
    await press(page, 'Back');
    await device.expectScreen('Settings');
  }
  await press(page, 'Lock now');
  await device.unlock('000000');
  await device.expectRefusal('You have 6 tries left.');
});

test('a keypad is offered where the PIN is known to be digits, and a keyboard wherever another may be typed', async ({ page, server }) => {
  const device = new Device(server, page);
  const pin = page.getByLabel('PIN', { exact: true });
  await device.setUpAlone(new Site('Mail'), '194382');
  await device.lock();
  await expect(pin).toHaveAttribute('inputmode', 'numeric');
  await device.open();
  await expect(pin).toHaveAttribute('inputmode', 'numeric');
  await device.unlock('194382');
  await press(page, 'Settings');
  await press(page, 'Change PIN');
  await expect(pin).toHaveAttribute('inputmode', 'numeric');
  await device.proveByPin('194382');
  await expect(page.getByLabel('Confirm PIN')).toBeVisible();
  await expect(pin).not.toHaveAttribute('inputmode');
  await device.setPin('a phrase for my phone');
  await device.lock();
  await expect(pin).not.toHaveAttribute('inputmode');
});

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
