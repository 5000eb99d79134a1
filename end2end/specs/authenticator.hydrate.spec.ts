import type { Page } from '@playwright/test';

import { expectAccessible } from '../support/axe.ts';
import { Client, type Signed, withSms } from '../support/client.ts';
import { BACKUP_PASSWORD, Device } from '../support/device.ts';
import { type Person, somebody } from '../support/people.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import { Practice } from '../support/practice.ts';
import type { Server } from '../support/server.ts';
import { enable, savePhone, signUp } from '../support/set_up.ts';
import { Site } from '../support/site.ts';
import { expect, PHONE, test } from '../support/test.ts';

/** What a server says that cannot decide right now. */
const UNAVAILABLE = { status: 503, body: JSON.stringify('unavailable') };
const NOT_RIGHT = 'That token is not right, or it has been used or has expired.';

async function logIn(page: Page, visit: (path: string, page?: Page) => Promise<unknown>, person: Person) {
  await visit('/login', page);
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
}

async function enter(page: Page, token: string) {
  await fill(page, { 'Authorization token': token });
  await press(page, 'Log In');
}

/** Asks to revoke a device and proves who asks with another; whoever comes back from that has to press once more. */
async function stepUpToRevoke(page: Page, name: string, person: Person, other: Device) {
  await press(page, `Revoke ${name}`);
  await arriveAt(page, '/account/step-up');
  await fill(page, { 'Current password': person.password, 'Authorization token': await other.freshToken() });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security');
}

test('from nothing on a phone to a sign-in at the desk with seven digits', async ({ page, server, visit, anotherBrowser }) => {
  const { person } = await withSms(server);
  const phone = new Device(server, await anotherBrowser(PHONE));
  await phone.open();
  await phone.expectScreen('Authenticator');
  await press(phone.page, 'Add Account');
  await phone.register(person);
  await phone.setPin();
  await phone.turnOnBackup();
  await phone.expectScreen(person.practice);
  await expect(phone.page.getByText('token is')).toBeVisible();
  await expect(phone.page.getByText('Your token expires in')).toBeVisible();
  expect(await phone.token()).toMatch(/^\d{7}$/);

  await logIn(page, visit, person);
  await expect(page.getByText('Chrome on Android')).toBeVisible();
  const token = await phone.freshToken();
  await enter(page, token);
  await arriveAt(page, '/account/security');
  const devices = page.getByRole('region', { name: 'Devices' });
  await expect(devices).toContainText('Chrome on Android');
  await expect(devices).toContainText('last used');

  // It is spent.
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await logIn(page, visit, person);
  await enter(page, token);
  await expectError(page, NOT_RIGHT);
});

test('where a practice wants phones a computer is refused in clear words, and a phone is not', async ({ page, server, anotherBrowser }) => {
  const practice = await Practice.create(server);
  await practice.setPolicy({ phones_only: 'on' });
  await practice.client.enable(practice.owner);
  const computer = new Device(server, page);
  await computer.open();
  await press(page, 'Add Account');
  await computer.register(practice.owner);
  await computer.expectRefusal('Your practice wants the authenticator on phones only. Open this page on your phone.');

  const phone = new Device(server, await anotherBrowser(PHONE));
  await phone.setUp(practice.owner);
  await phone.expectScreen(practice.owner.practice);
});

test('a text message does not go out by itself where a device makes the tokens', async ({ page, server, visit, anotherBrowser }) => {
  const { person } = await withSms(server);
  await new Device(server, await anotherBrowser(PHONE)).setUp(person);
  await server.advance(61);
  const before = (await server.messages(person.e164)).length;
  await logIn(page, visit, person);
  expect(await server.messages(person.e164)).toHaveLength(before);
  await press(page, 'Request Token via SMS');
  await expect(page.getByRole('status').filter({ hasText: 'Token sent' })).toBeVisible();
  expect(await server.messages(person.e164)).toHaveLength(before + 1);
});

test('the code comes by a call for whom a text does not suit', async ({ page, server }) => {
  const { person } = await withSms(server);
  const device = new Device(server, page);
  await device.open();
  await press(page, 'Add Account');
  await device.register(person, 'Call Me');
  await device.setPin();
  await press(page, 'Not Now');
  expect((await server.messages(person.e164))[0]?.channel).toBe('voice');
  expect(await device.token()).toMatch(/^\d{7}$/);
});

/** What the screen says, without what the number and the moment make of it. */
async function snapshot(device: Device, phone: string): Promise<string> {
  const all = await device.page.locator('body').ariaSnapshot();
  return all.replaceAll(`ending ${phone.slice(-2)}`, 'ending NN').replace(/in \d+ s/, 'in N s');
}

test('another code has to wait, and the screen says how long', async ({ page, server }) => {
  const { person } = await withSms(server);
  await page.clock.install();
  const device = new Device(server, page);
  await device.open();
  await press(page, 'Add Account');
  await fill(page, { 'Cell phone': person.phone, 'Email': person.email });
  await press(page, 'OK');
  await server.advance(61);
  await press(page, 'Text Me');
  await device.expectScreen('Enter the code');
  await expect(page.getByText(/^You can request a new token in (60|5\d) s$/)).toBeVisible();
  const over = page.getByText('You can request a new token now');
  await expect(over).toHaveCount(0);
  const before = (await server.messages(person.e164)).length;
  for (const name of ['Text Me', 'Call Me']) {
    const again = page.getByRole('button', { name, exact: true });
    await expect(again).toHaveAttribute('aria-disabled', 'true');
    await again.dispatchEvent('click');
  }
  await page.clock.runFor(61_000);
  await expect(over).toBeAttached();
  await expect(page.getByText(/new token in/)).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Text Me', exact: true })).not.toHaveAttribute('aria-disabled');
  expect(await server.messages(person.e164)).toHaveLength(before);
  await server.advance(61);
  await press(page, 'Call Me');
  await expect(page.getByText(/^You can request a new token in \d+ s$/)).toBeVisible();
  await expect(over).toHaveCount(0);
  expect(await server.messages(person.e164)).toHaveLength(before + 1);
});

test('a number that nobody has leads to the same screen as one that somebody has', async ({ page, server, anotherBrowser }) => {
  const { person } = await withSms(server);
  const screens: string[] = [];
  for (const phone of [person.phone, '+1 (202) 555-1199']) {
    const device = new Device(server, screens.length === 0 ? page : await anotherBrowser());
    await device.open();
    await press(device.page, 'Add Account');
    await fill(device.page, { 'Cell phone': phone, 'Email': person.email });
    await press(device.page, 'OK');
    await server.advance(61);
    await press(device.page, 'Text Me');
    await device.expectScreen('Enter the code');
    await expect(device.page.getByRole('status').filter({ hasText: phone.slice(-2) })).toBeVisible();
    screens.push(await snapshot(device, phone));

    await fill(device.page, { 'Verification code': '000000' });
    await press(device.page, 'Verify');
    await expect(device.page.getByRole('alert').filter({ hasText: /\w/ })).toBeVisible();
    screens.push(await snapshot(device, phone));
  }
  expect(screens.slice(2)).toEqual(screens.slice(0, 2));
  expect(await server.messages('+12025551199')).toEqual([]);
});

test('what is wrong with a phone, an e-mail or a code is said', async ({ page, server }) => {
  const { person } = await withSms(server);
  const device = new Device(server, page);
  await device.open();
  await press(page, 'Add Account');
  await press(page, 'OK');
  await device.expectRefusal('Enter your cell phone number with its country code');
  await fill(page, { 'Cell phone': person.phone });
  await press(page, 'OK');
  await device.expectRefusal('Enter the e-mail address');
  await device.register({ ...person, email: `other-${person.email}` });
  await device.expectRefusal(/e-mail/);
});

test('from switching it on at the desk to a lost phone whose accounts come back on the next one', async ({ page, server, visit, anotherBrowser }) => {
  test.setTimeout(180_000);
  const person = somebody();
  await signUp(page, visit, person);
  await savePhone(page, person);
  const codes = await enable(page, server, person);

  const phone = new Device(server, await anotherBrowser(PHONE));
  await phone.setUp(person, 'with a backup');
  const site = new Site('Mail');
  await phone.addSite(site);
  await phone.expectBackedUp();
  await phone.choose(person.practice);
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await logIn(page, visit, person);
  const token = await phone.freshToken();
  expect(token).toMatch(/^\d{7}$/);
  await enter(page, token);
  await arriveAt(page, '/account/security');

  const second = new Device(server, await anotherBrowser());
  const number = await second.ask(person);
  await phone.sync();
  await press(phone.page, number);
  await second.setPin();
  await second.expectScreen('Restore your backup');
  await press(second.page, 'Not Now');

  // A new way to sign in has ended the session. The phone is lost, and the other device is given away.
  await logIn(page, visit, person);
  await enter(page, await second.freshToken());
  await arriveAt(page, '/account/security');
  await stepUpToRevoke(page, 'Chrome on Android', person, second);
  const dead = await phone.freshToken();
  await phone.page.close();
  await press(page, 'Revoke Chrome on Android');
  await expectStatus(page, /./);
  const desk = await anotherBrowser();
  await logIn(desk, visit, person);
  await enter(desk, dead);
  await expectError(desk, NOT_RIGHT);
  await press(page, 'Revoke Chrome on Windows');
  await expect(page.getByRole('region', { name: 'Devices' })).not.toContainText('Chrome on');
  await second.page.close();

  // The phone alone brings tokens, for it gets the text messages too, and not what is in the backup.
  const next = new Device(server, await anotherBrowser(PHONE));
  await next.open();
  await press(next.page, 'Add Account');
  await next.register(person);
  await next.setPin();
  await next.expectScreen('Restore your backup');
  await expect(next.page.getByLabel('Backup password')).toHaveCount(0);
  await expectAccessible(next.page);
  const field = next.page.getByLabel('Recovery code', { exact: true });
  await field.fill('AAAA-AAAA-AAAA');
  await press(next.page, 'Continue');
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toBeFocused();
  await expectAccessible(next.page);
  await field.fill(codes[0] ?? '');
  await press(next.page, 'Continue');
  await expectStatus(next.page, 'Now enter the backup password.');
  await expect(next.page.getByLabel('Backup password')).toBeFocused();
  await fill(next.page, { 'Backup password': BACKUP_PASSWORD });
  await press(next.page, 'Restore');
  await expectStatus(next.page, '1 account came back');
  await next.choose('Mail');
  await next.expectTokenOf(site);
  await next.choose(person.practice);
  await logIn(desk, visit, person);
  await enter(desk, await next.freshToken());
  await arriveAt(desk, '/account/security');
  await expect(desk.getByRole('region', { name: 'Devices' })).toContainText('Chrome on Android');
});

/** The first device is asked whether the second may join. Returns the number that the second shows. */
async function untilAsked(first: Device, second: Device, person: Person): Promise<string> {
  await first.setUp(person);
  const number = await second.ask(person);
  await first.sync();
  await first.expectScreen('Approve a new device');
  return number;
}

test('a second device is approved by the number that both show', async ({ page, server, anotherBrowser }) => {
  const { person } = await withSms(server);
  const [first, second] = [new Device(server, await anotherBrowser(PHONE)), new Device(server, page)];
  const number = await untilAsked(first, second, person);
  await expect(first.page.getByText('Chrome on Windows')).toBeVisible();
  await expect(first.page.locator('.numbers').getByRole('button')).toHaveCount(3);
  await press(first.page, number);
  await second.setPin();
  await press(page, 'Not Now');
  await expect(first.page.getByRole('status').filter({ hasText: 'Answered.' })).toBeVisible();
  await first.look();
  const news = first.page.getByRole('alert').filter({ hasText: 'A device was added to your account: Chrome on Windows.' });
  await expect(news).toBeVisible();
  // Nobody has read it, so it is told again.
  await first.lock();
  await first.open();
  await first.unlock();
  await expect(news).toBeVisible();
  await news.getByRole('button', { name: 'OK' }).click();
  await expect(news).toHaveCount(0);
  await first.sync();
  await first.token();
  await expect(news).toHaveCount(0);

  // Each has a secret of its own, and each is good.
  const [one, two] = [await first.token(), await second.token()];
  expect(one).not.toBe(two);
  const client = new Client(server);
  for (const device of [first, second]) {
    await client.logIn(person);
    expect((await client.post('/api/check_token', { token: await device.freshToken() })).leadsTo).toBe('/account/security');
  }
  // And the account has heard of both.
  const mails = (await server.messages(person.email)).map(({ body }) => body);
  expect(mails.filter((body) => body.includes('Chrome on Windows'))).not.toEqual([]);
});

test('a wrong number denies the new device', async ({ page, server, anotherBrowser }) => {
  const { person } = await withSms(server);
  const [first, second] = [new Device(server, await anotherBrowser(PHONE)), new Device(server, page)];
  const number = await untilAsked(first, second, person);
  const numbers = await first.page.locator('.numbers').getByRole('button').allInnerTexts();
  await press(first.page, numbers.find((other) => other !== number) ?? '');
  await second.expectRefusal('Your other device said no');
  await expect(page.getByLabel('PIN')).toHaveCount(0);
});

test('Deny denies the new device', async ({ page, server, anotherBrowser }) => {
  const { person } = await withSms(server);
  const [first, second] = [new Device(server, await anotherBrowser(PHONE)), new Device(server, page)];
  await untilAsked(first, second, person);
  await press(first.page, 'Deny');
  await second.expectRefusal('Your other device said no');
  await expect(first.page.getByRole('status').filter({ hasText: 'denied' })).toBeVisible();
  await first.token();
});

test('a recovery code stands in for the device that is out of reach', async ({ page, server, anotherBrowser }) => {
  const { person, codes } = await withSms(server);
  await new Device(server, await anotherBrowser(PHONE)).setUp(person);
  const second = new Device(server, page);
  await second.ask(person);
  await second.prove('AAAA-AAAA-AAAA');
  await expect(page.getByRole('alert').filter({ hasText: /\w/ })).toBeVisible();
  await fill(page, { 'Recovery code': codes[0] ?? '' });
  await press(page, 'Continue');
  await second.setPin();
  await press(page, 'Not Now');
  const client = new Client(server);
  await client.logIn(person);
  expect((await client.post('/api/check_token', { token: await second.freshToken() })).leadsTo).toBe('/account/security');
});

test('where the phone alone is not enough, a recovery code is asked for at once', async ({ page, server }) => {
  const { person, codes } = await withSms(server);
  // A hundred wrong tokens, on six days, would make the server answer so: the code is right, and nothing takes it.
  await page.route('**/api/verify_registration', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ status: 403, headers: response.headers(), body: JSON.stringify('recovery-code-needed') });
  });
  const device = new Device(server, page);
  await device.open();
  await press(page, 'Add Account');
  await device.register(person);
  await device.expectScreen('Use a recovery code');
  await device.expectRefusal('This needs a recovery code');
  await fill(page, { 'Recovery code': codes[0] ?? '' });
  await press(page, 'Continue');
  await device.setPin();
  await press(page, 'Not Now');
  const client = new Client(server);
  await client.logIn(person);
  expect((await client.post('/api/check_token', { token: await device.freshToken() })).leadsTo).toBe('/account/security');
});

test('a revoked device is dead at once, says so, and the others live on', async ({ page, server, visit, anotherBrowser }) => {
  test.slow();
  const { person } = await withSms(server);
  const [first, second] = [new Device(server, await anotherBrowser(PHONE)), new Device(server, await anotherBrowser())];
  await first.setUp(person);
  const number = await second.ask(person);
  await first.sync();
  await press(first.page, number);
  await second.setPin();
  await press(second.page, 'Not Now');

  await logIn(page, visit, person);
  await enter(page, await second.freshToken());
  await arriveAt(page, '/account/security');
  await stepUpToRevoke(page, 'Chrome on Android', person, second);
  const dead = await first.freshToken();
  await press(page, 'Revoke Chrome on Android');
  await expectStatus(page, /./);
  await expect(page.getByRole('region', { name: 'Devices' })).not.toContainText('Chrome on Android');
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await logIn(page, visit, person);
  await enter(page, dead);
  await expectError(page, NOT_RIGHT);
  await enter(page, await second.freshToken());
  await arriveAt(page, '/account/security');

  await first.look();
  await first.expectRefusal('This device was removed.');
  await first.expectScreen('Authenticator');
  await expect(first.page.getByRole('button', { name: 'Add Account' })).toBeVisible();
});

test('the devices of the account are listed on each of them', async ({ page, server }) => {
  const { person } = await withSms(server);
  const device = new Device(server, page);
  await device.setUp(person);
  await press(page, 'Settings');
  await press(page, 'Devices');
  await expect(page.getByRole('listitem')).toHaveText(/Chrome on Windows \(this device\)Added .*, (last used .*|not used yet)/);
});

/** The same person at another practice: e-mail and cell phone are the same, and so is the token account. */
async function atAnotherPractice(server: Server, person: Person): Promise<Signed> {
  const { email, phone, e164 } = person;
  const signed = { person: { ...somebody(), email, phone, e164 }, client: new Client(server) };
  await signed.client.signUp(signed.person);
  await server.advance(61);
  await signed.client.enable(signed.person);
  return signed;
}

for (const javaScriptEnabled of [true, false]) {
  test(`a practice that is linked later is added to the phone at the desk, ${javaScriptEnabled ? 'with' : 'without'} scripts`, async ({ server, visit, anotherBrowser }) => {
    const { person } = await withSms(server);
    const phone = new Device(server, await anotherBrowser(PHONE));
    await phone.setUp(person);
    // Closed, or it would ask by itself before the desk has taken its offer back.
    await phone.page.goto('about:blank');
    const oak = await atAnotherPractice(server, person);
    const desk = await anotherBrowser({ javaScriptEnabled });
    const open = javaScriptEnabled ? visit : (path: string) => desk.goto(path);
    await oak.client.handOver(desk.context());
    await open('/account/security', desk);
    const devices = desk.getByRole('region', { name: 'Devices' });
    await expect(devices).toContainText('Makes no tokens for this account');
    await press(desk, 'Use Chrome on Android for this account');
    await expectStatus(desk, 'Now open the authenticator on that device.');
    await expect(devices).toContainText('it adds this account by itself, until');
    if (javaScriptEnabled) {
      await expectAccessible(desk);
    }
    await press(desk, 'Cancel: Chrome on Android');
    await expectStatus(desk, 'Cancelled. Nothing was changed.');
    await press(desk, 'Use Chrome on Android for this account');
    await expectStatus(desk, 'Now open the authenticator on that device.');

    await phone.open();
    await phone.unlock();
    await expectStatus(phone.page, `${oak.person.practice} was added here.`);
    await expectAccessible(phone.page);
    await devices.getByRole('link', { name: 'Look again' }).click();
    await expect(devices.getByRole('button', { name: 'Revoke Chrome on Android' })).toBeVisible();
    await expect(devices).not.toContainText('Makes no tokens');
    await phone.choose(oak.person.practice);
    const token = await phone.freshToken();
    await press(desk, 'Log Out');
    await arriveAt(desk, '/login');
    await logIn(desk, open, oak.person);
    await enter(desk, token);
    await arriveAt(desk, '/account/security');
    await phone.choose(person.practice);
    expect(await phone.token()).not.toBe(token);
  });
}

test('a device that is added by phone once more takes the place of what it was', async ({ page, server, visit, anotherBrowser }) => {
  const { person, codes, client } = await withSms(server);
  const phone = new Device(server, await anotherBrowser(PHONE));
  await phone.setUp(person);
  await press(phone.page, 'Add Account');
  await press(phone.page, 'By phone');
  await expect(phone.page.getByText('This device has practice accounts already')).toBeVisible();
  await expectAccessible(phone.page);
  await phone.register(person);
  await phone.expectScreen('Approve on your other device');
  await phone.prove(codes[0] ?? '');
  // Its backup would have what is on this device: that is for its owner to say.
  await phone.proveByPin();
  await press(phone.page, 'Not Now');
  const token = await phone.freshToken();
  await client.logIn(person);
  await client.handOver(page.context());
  await visit('/login/token');
  await enter(page, token);
  await arriveAt(page, '/account/security');
  await expect(page.getByRole('region', { name: 'Devices' }).getByText('Chrome on Android')).toHaveCount(1);
});

test('who adds the account once more and is refused keeps the tokens that count', async ({ page, server, expected }) => {
  expected.push(/status of (401|503)/);
  const { person, codes, client } = await withSms(server);
  const phone = new Device(server, page);
  await phone.setUp(person);
  await press(page, 'Add Account');
  await press(page, 'By phone');
  await phone.register(person);
  await phone.prove(codes[0] ?? '');
  await page.route('**/api/activate_device', (route) => route.fulfill(UNAVAILABLE));
  await phone.proveByPin();
  await phone.expectRefusal(/\w/);
  await phone.expectScreen('Add your practice account');
  await press(page, 'Back');
  // Neither a look nor a start takes the new secrets for those that count.
  await phone.sync();
  await phone.lock();
  await phone.open();
  await phone.unlock();
  await client.logIn(person);
  expect((await client.post('/api/check_token', { token: await phone.freshToken() })).leadsTo).toBe('/account/security');
});

test('a set-up whose last answer is lost is there at the next start', async ({ page, server, expected }) => {
  expected.push(/status of 503/);
  const { person, client } = await withSms(server);
  const phone = new Device(server, page);
  await phone.open();
  await press(page, 'Add Account');
  await phone.register(person);
  await page.route('**/api/activate_device', async (route) => {
    await route.fetch();
    await route.fulfill(UNAVAILABLE);
  });
  await phone.setPin();
  await phone.expectRefusal(/\w/);
  await phone.expectScreen('Add your practice account');
  await phone.open();
  await phone.unlock();
  await phone.token();
  await client.logIn(person);
  expect((await client.post('/api/check_token', { token: await phone.freshToken() })).leadsTo).toBe('/account/security');
});

test('a set-up whose last answer is lost goes on by the PIN', async ({ page, server, expected }) => {
  expected.push(/status of (409|410|422|503)/);
  const { person } = await withSms(server);
  const phone = new Device(server, page);
  await phone.open();
  await press(page, 'Add Account');
  await phone.register(person);
  let isLost = true;
  await page.route('**/api/activate_device', async (route) => {
    const response = await route.fetch();
    await (isLost ? route.fulfill(UNAVAILABLE) : route.fulfill({ response }));
  });
  await phone.setPin();
  await phone.expectRefusal(/\w/);
  isLost = false;
  await phone.proveByPin();
  await phone.token();
});
