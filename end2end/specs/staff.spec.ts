import type { Page } from '@playwright/test';

import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import { Practice } from '../support/practice.ts';
import { somebody, type Person } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

const row = (page: Page, person: Person) => page.getByRole('row').filter({ hasText: person.username });

async function openMember(page: Page, person: Person) {
  await row(page, person).getByRole('link', { name: 'View' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${person.firstName} ${person.lastName}`);
}

test('an office manager adds a nurse and turns two-factor authentication on for her', async ({
  page,
  context,
  server,
  visit,
  anotherBrowser,
}) => {
  const practice = await Practice.create(server);
  const manager = await practice.addAdministrator();
  await (await practice.signIn(manager)).handOver(context);
  const nurse = { ...somebody(), firstName: 'Nina' };
  await visit('/account/security');
  await press(page, 'Practice');
  await arriveAt(page, '/practice/staff');
  await press(page, 'Add Staff Member');
  await arriveAt(page, '/practice/staff/new');
  await fill(page, {
    'First name': nurse.firstName,
    'Last name': nurse.lastName,
    'Email': nurse.email,
    'Username': nurse.username,
    'Password': nurse.password,
    'Cell phone': nurse.phone,
  });
  await page.getByLabel('Role').selectOption('Nurse');
  await press(page, 'Create Staff Account');
  await arriveAt(page, '/practice/staff');
  await expectStatus(page, 'Staff account created.');
  await expect(row(page, nurse)).toContainText('Off');

  await openMember(page, nurse);
  await press(page, 'Edit');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Enable 2-factor authentication');
  await fill(page, { 'Your password': manager.password });
  await press(page, 'Enable 2-Factor Authentication');
  await arriveAt(page, '/practice/staff');
  await expectStatus(page, 'Two-factor authentication is on for them.');
  await expect(row(page, nurse)).toContainText('On');
  expect((await server.messages(nurse.email))[0]?.body).toContain('was turned on for you');

  const hers = await anotherBrowser();
  await visit('/login', hers);
  await fill(hers, { 'Username or email': nurse.username, 'Password': nurse.password });
  await press(hers, 'Log In');
  await arriveAt(hers, '/login/token');
  expect(await server.messages(nurse.e164)).toHaveLength(0);
  await press(hers, 'Request Token via SMS');
  await expectStatus(hers, 'Token sent');
  await fill(hers, { 'Authorization token': await server.tokenSentTo(nurse.e164) });
  await press(hers, 'Log In');
  await arriveAt(hers, '/account/security/recovery-codes');
  await hers.getByLabel('I have stored these codes').check();
  await press(hers, 'Done');
  await arriveAt(hers, '/account/security');
  await expect(hers.getByText('Status: Enabled')).toBeVisible();
});

test('a member without a phone gets a clear error, with the way to mend it', async ({ page, context, server, visit }) => {
  const practice = await Practice.create(server);
  const nurse = await practice.add('nurse', { cell_phone: '' });
  await practice.client.handOver(context);
  await visit('/practice/staff');
  await openMember(page, nurse);
  await press(page, 'Edit');
  await expect(page.getByText('has no cell phone on file')).toBeVisible();
  await press(page, 'Enter it in their details');
  await fill(page, { 'Cell phone': nurse.phone });
  await press(page, 'Save Details');
  await expectStatus(page, 'Details saved.');
  await press(page, 'Edit');
  await expect(page.getByLabel('Your password')).toBeVisible();
});

test('a wrong password of the administrator turns nothing on', async ({ page, context, server, visit, expected }) => {
  expected.push(/status of 403/);
  const practice = await Practice.create(server);
  const nurse = await practice.add();
  await practice.client.handOver(context);
  await visit('/practice/staff');
  await openMember(page, nurse);
  await press(page, 'Edit');
  await fill(page, { 'Your password': 'not my password at all' });
  await press(page, 'Enable 2-Factor Authentication');
  await expectError(page, 'The current password is not right.');
  await visit('/practice/staff');
  await expect(row(page, nurse)).toContainText('Off');
});

test('a member who is logged out from elsewhere, or deactivated, is out at the next click', async ({ page, context, server, visit, anotherBrowser }) => {
  const practice = await Practice.create(server);
  const nurse = await practice.add();
  await practice.client.handOver(context);
  const hers = await anotherBrowser();
  await (await practice.signIn(nurse)).handOver(hers.context());
  await visit('/account/security', hers);
  await arriveAt(hers, '/account/security');
  await visit('/practice/staff');
  await openMember(page, nurse);
  await press(page, 'Log Out Everywhere');
  await arriveAt(page, '/account/step-up');
  await fill(page, { 'Current password': practice.owner.password });
  await press(page, 'Confirm');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${nurse.firstName} ${nurse.lastName}`);
  await press(page, 'Log Out Everywhere');
  await expectStatus(page, 'They are logged out everywhere.');
  await hers.goto('/account/security');
  await arriveAt(hers, '/login');
  await (await practice.signIn(nurse)).handOver(hers.context());
  await visit('/account/security', hers);
  await press(page, 'Deactivate Account');
  await expectStatus(page, 'Account deactivated.');
  await hers.goto('/account/security');
  await arriveAt(hers, '/login');
  await press(page, 'Reactivate Account');
  await expectStatus(page, 'Account reactivated.');
});

test('who is searched for is found, and who is not protected', async ({ page, context, server, visit }) => {
  const practice = await Practice.create(server);
  const [one, other] = [await practice.add(), await practice.add()];
  await practice.client.handOver(context);
  await visit('/practice/staff');
  await fill(page, { Search: one.username });
  await press(page, 'Search');
  await expect(row(page, one)).toBeVisible();
  await expect(row(page, other)).toHaveCount(0);
  await visit('/practice/staff?search=nobody-at-all');
  await expect(page.getByText('Nobody was found.')).toBeVisible();
});

test('a member of another practice does not exist, and members administer nothing', async ({
  page,
  context,
  server,
  visit,
  expected,
  anotherBrowser,
}) => {
  expected.push(/status of 40[34]/);
  const practice = await Practice.create(server);
  const nurse = await practice.add();
  await practice.client.handOver(context);
  await visit('/practice/staff');
  await openMember(page, nurse);
  const path = new URL(page.url()).pathname;

  const elsewhere = await anotherBrowser();
  const stranger = await Practice.create(server);
  await stranger.stepUp();
  const fields = {
    member: path.split('/').pop() ?? '',
    current_password: stranger.owner.password,
    reason: 'Lost',
    first_name: 'Nina',
    last_name: 'Sample',
    role: 'nurse',
  };
  const functions = ['change_member', 'log_out_member', 'deactivate_member', 'reactivate_member', 'enable_for_member', 'stop_requiring', 'ask_for_reset'];
  for (const name of functions) {
    expect((await stranger.client.post(`/api/${name}`, fields)).status, name).toBe(404);
  }
  await stranger.client.handOver(elsewhere.context());
  for (const end of ['', '/details', '/two-factor', '/reset']) {
    expect((await elsewhere.goto(path + end))?.status(), end).toBe(404);
  }
  const hers = await anotherBrowser();
  await (await practice.signIn(nurse)).handOver(hers.context());
  for (const place of ['/practice/staff', '/practice/policy', '/practice/coverage', '/practice/audit', path]) {
    expect((await hers.goto(place))?.status(), place).toBe(403);
    await expect(hers.getByRole('alert')).toContainText('Only people who manage accounts');
  }
});

test('the audit trail tells who did it, and can be searched', async ({ page, context, server, visit }) => {
  const practice = await Practice.create(server);
  const nurse = await practice.add();
  await practice.client.handOver(context);
  await visit('/practice/audit');
  await expect(row(page, nurse).first()).toContainText(practice.owner.username);
  await page.getByLabel('Event').selectOption('practice-created');
  await press(page, 'Search');
  await expect(page.getByRole('row')).toHaveCount(2);
  await fill(page, { Account: 'nobody-of-that-name' });
  await press(page, 'Search');
  await expect(page.getByText('No event was found.')).toBeVisible();
});

test('exports take a step-up, and hold what the pages show', async ({ context, page, server, visit }) => {
  const practice = await Practice.create(server);
  const nurse = await practice.add();
  const files = ['staff.csv', 'coverage.csv', 'audit.csv', 'audit.jsonl'];
  for (const file of files) {
    expect((await practice.client.get(`/practice/${file}`)).leadsTo, file).toBe('/account/step-up');
  }
  await practice.client.handOver(context);
  await visit('/practice/coverage');
  await page.getByRole('link', { name: 'Export CSV' }).click();
  await arriveAt(page, '/account/step-up');
  await fill(page, { 'Current password': practice.owner.password });
  await press(page, 'Confirm');
  await arriveAt(page, '/practice/coverage');

  // The browser's step-up has renewed the key that both had.
  const again = await practice.signIn(practice.owner);
  await again.post('/api/confirm_identity', { current_password: practice.owner.password });
  for (const file of files) {
    const answer = await again.get(`/practice/${file}`);
    expect(answer.status, file).toBe(200);
    expect(answer.body, file).toContain(file.endsWith('csv') ? nurse.username : '"exported"');
  }
});
