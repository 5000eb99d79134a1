import { Client } from '../support/client.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import { Practice } from '../support/practice.ts';
import { Server } from '../support/server.ts';
import { expect, test as base } from '../support/test.ts';

/** A server of the test's own, whose clock it may move by days. */
const test = base.extend<{ own: Server }>({
  own: async ({}, use) => {
    const own = await Server.start();
    await use(own);
    await own.stop();
  },
  baseURL: async ({ own }, use) => use(own.url),
});

const DAY = 86_400;
const day = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);

test('a preview says whom a policy would stop, saving stops them, and set-up lets them go on', async ({
  page,
  context,
  own,
  visit,
  anotherBrowser,
}) => {
  const practice = await Practice.create(own);
  const nurse = await practice.add();
  await practice.client.handOver(context);
  const hers = await anotherBrowser();
  await (await practice.signIn(nurse)).handOver(hers.context());
  await visit('/account/profile', hers);
  await arriveAt(hers, '/account/profile');

  await visit('/practice/policy');
  await page.getByLabel('Nurse: two-factor authentication').selectOption('Required');
  await page.getByLabel('Nurse: required from').fill(day(await own.now()));
  await press(page, 'Preview');
  const preview = page.getByRole('region', { name: 'Preview' });
  await expect(preview.getByText('Nothing is saved yet. Stopped at once until they set up: 1.')).toBeVisible();
  await expect(preview.getByRole('row').filter({ hasText: 'Nina' })).toContainText('Blocked until set up');
  await press(page, 'Save Policy');
  await arriveAt(page, '/account/step-up');
  await fill(page, { 'Current password': practice.owner.password });
  await press(page, 'Confirm');
  await arriveAt(page, '/practice/policy');
  await expect(page.getByLabel('Nurse: two-factor authentication')).toHaveValue('required');
  await press(page, 'Save Policy');
  await expectStatus(page, 'Policy saved.');

  await hers.getByRole('link', { name: 'Security', exact: true }).click();
  await arriveAt(hers, '/login/enrol');
  for (const path of ['/account/profile', '/account/password', '/account/security', '/practice/staff']) {
    await hers.goto(path);
    await arriveAt(hers, '/login/enrol');
  }
  await fill(hers, { 'Current password': nurse.password });
  await press(hers, 'Send Code');
  await arriveAt(hers, '/account/security/phone');
  await fill(hers, { 'Code from the message': await own.tokenSentTo(nurse.e164) });
  await press(hers, 'Confirm');
  await arriveAt(hers, '/account/security/recovery-codes');
  await hers.goto('/account/profile');
  await arriveAt(hers, '/account/profile');
});

test('a deadline is announced, and stops a live session when it passes', async ({ page, context, own, visit }) => {
  const practice = await Practice.create(own);
  const nurse = await practice.add();
  const midnight = Math.ceil((await own.now()) / DAY) * DAY;
  await practice.setPolicy({ nurse: 'required', nurse_from: day(midnight) });
  expect((await own.messages(nurse.email))[0]?.body).toContain('Set up two-factor authentication');
  await own.advance(midnight - (await own.now()) - 300);
  await (await practice.signIn(nurse)).handOver(context);
  await visit('/account/profile');
  await expect(page.getByText('Your practice asks you to set up two-factor authentication by')).toBeVisible();
  await own.advance(301);
  await page.getByRole('link', { name: 'Security', exact: true }).click();
  await arriveAt(page, '/login/enrol');
  const again = new Client(own);
  await again.logIn(nurse);
  expect((await again.get('/account/profile')).leadsTo, 'signing in again renews nothing').toBe('/login/enrol');
});

test('a screen that nobody touched is locked until the PIN is typed', async ({ page, context, own, visit, expected }) => {
  expected.push(/status of 403/);
  const practice = await Practice.create(own);
  await practice.setPolicy({ lock: '5' });
  await practice.client.post('/api/update_profile', { first_name: 'Pat', last_name: 'Sample', pin: '4711' });
  await practice.client.handOver(context);
  await visit('/account/profile');
  await own.advance(301);
  await visit('/account/security');
  await arriveAt(page, '/locked');
  await page.goto('/practice/staff');
  await arriveAt(page, '/locked');
  await fill(page, { 'App unlock PIN': '0000' });
  await press(page, 'Unlock');
  await expectError(page, 'That PIN is not right.');
  await fill(page, { 'App unlock PIN': '4711' });
  await press(page, 'Unlock');
  await arriveAt(page, '/practice/staff');
});

test('a page that nobody touches leaves by itself when its screen locks', async ({ page, context, own, visit, withScripts }) => {
  await page.clock.install();
  const practice = await Practice.create(own);
  await practice.setPolicy({ lock: '5' });
  await practice.client.post('/api/update_profile', { first_name: 'Pat', last_name: 'Sample', pin: '4711' });
  await practice.client.handOver(context);
  if (!withScripts) {
    // Nobody waits five minutes: the server says how long it is, and the browser is told that it is over.
    await page.route('**/practice/staff', async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replace(/content="\d+; url/, 'content="1; url');
      await own.advance(301);
      await route.fulfill({ response: answer, body });
    });
  }
  await visit('/practice/staff');
  if (withScripts) {
    await own.advance(301);
    await page.clock.fastForward('05:02');
  }
  await arriveAt(page, '/locked');
  await fill(page, { 'App unlock PIN': '4711' });
  await press(page, 'Unlock');
  await expect(page).toHaveURL((url) => url.pathname === '/practice/staff');
});

test('a lost phone: an administrator asks, another one approves, and the member sets up anew', async ({
  page,
  context,
  own,
  visit,
  anotherBrowser,
}) => {
  const practice = await Practice.create(own);
  const second = await practice.addAdministrator();
  const nurse = await practice.add();
  // Whoever has just been made an administrator is no second person for a day.
  await own.advance(DAY);
  const hers = await practice.signIn(nurse);
  await hers.enable(nurse);
  await (await practice.signIn(practice.owner)).handOver(context);
  await visit('/practice/staff');
  await page.getByRole('row').filter({ hasText: nurse.username }).getByRole('link', { name: 'View' }).click();
  await press(page, 'Reset Two-Factor Authentication');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Reset two-factor authentication');
  await fill(page, { 'Reason': 'Her phone fell into the sea', 'Your password': practice.owner.password });
  await press(page, 'Ask for Reset');
  await expectStatus(page, 'Asked. Another administrator has to approve it.');
  await visit('/practice/approvals');
  await expect(page.getByText('You asked for this: another administrator has to approve.')).toBeVisible();
  expect((await hers.get('/account/security')).status, 'nothing is weaker yet').toBe(200);

  const other = await anotherBrowser();
  await (await practice.signIn(second)).handOver(other.context());
  await visit('/practice/approvals', other);
  await expect(other.getByText('Reason: Her phone fell into the sea')).toBeVisible();
  await fill(other, { 'Your password': second.password });
  await other.getByRole('button', { name: 'Approve', exact: true }).click();
  await expectStatus(other, 'Reset. They set it up anew at their next log-in.');

  expect((await hers.get('/account/security')).leadsTo, 'signed out everywhere').toBe('/login');
  expect((await (await practice.signIn(nurse)).get('/account/security')).leadsTo).toBe('/login/enrol');
  expect((await own.messages(nurse.e164))[0]?.body).toContain('was reset');
});

test('a lost phone: an owner alone waits a day', async ({ page, own, context, visit, expected }) => {
  expected.push(/status of 429/);
  const practice = await Practice.create(own);
  const nurse = await practice.add();
  await (await practice.signIn(nurse)).enable(nurse);
  await practice.client.handOver(context);
  await visit('/practice/staff');
  await page.getByRole('row').filter({ hasText: nurse.username }).getByRole('link', { name: 'View' }).click();
  await press(page, 'Reset Two-Factor Authentication');
  await fill(page, { 'Reason': 'Lost', 'Your password': practice.owner.password });
  await press(page, 'Ask for Reset');
  await expectStatus(page, 'Asked.');
  await visit('/practice/approvals');
  await fill(page, { 'Your password': practice.owner.password });
  await press(page, 'Approve');
  await expectError(page, 'There is no second administrator');
  await own.advance(DAY);
  await (await practice.signIn(practice.owner)).handOver(context);
  await visit('/practice/approvals');
  await fill(page, { 'Your password': practice.owner.password });
  await press(page, 'Approve');
  await expectStatus(page, 'Reset.');
});

test('a lost phone: mailbox, password and a day, which every notice can stop', async ({ page, own, visit }) => {
  const practice = await Practice.create(own);
  const nurse = await practice.add();
  await (await practice.signIn(nurse)).enable(nurse);
  const begin = async () => {
    await visit('/login');
    await fill(page, { 'Username or email': nurse.username, 'Password': nurse.password });
    await press(page, 'Log In');
    await arriveAt(page, '/login/token');
    await press(page, 'I lost my phone');
    await arriveAt(page, '/login/reset');
    await fill(page, { 'Username or email': nurse.username, 'Password': nurse.password });
    await press(page, 'Send Reset Link');
    await expectStatus(page, 'If username and password are right, a link is on its way');
    await visit(await own.resetLinkSentTo(nurse.email));
    await press(page, 'Start the 24 Hours');
    await expectStatus(page, 'The 24 hours have begun.');
  };
  await begin();
  await visit(await own.resetLinkSentTo(nurse.e164));
  await press(page, 'Cancel Reset');
  await expectStatus(page, 'it is cancelled');
  await own.advance(DAY + 1);
  expect((await (await practice.signIn(nurse)).get('/account/security')).leadsTo, 'the token is still asked for').toBe('/login');

  await begin();
  await own.advance(DAY);
  await visit('/login');
  await fill(page, { 'Username or email': nurse.username, 'Password': nurse.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/enrol');
});
