import { withApp, withPassword, withSms } from '../support/client.ts';
import { somebody } from '../support/people.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import { sendSignUp } from '../support/set_up.ts';
import { expect, test } from '../support/test.ts';

test('the whole profile is saved, and shown again', async ({ page, context, server, visit }) => {
  const { client, person } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  const fields = {
    'First name': 'Ada',
    'Last name': "O'Brien-Žižek",
    'Specialty': 'Family medicine & <b>more</b>',
    'Timezone': 'America/New_York',
    'Salutation': 'Dr',
    'Suffix': 'MD',
    'Website': 'https://practice.test/',
  };
  await fill(page, { ...fields, 'Home phone': '(202) 555-0143', 'Office phone': '+44 20 7946 0123', 'Cell phone': person.phone });
  await press(page, 'Update Entire Profile');
  await expectStatus(page, 'Profile saved.');
  await visit('/account/profile');
  const phones = { 'Home phone': '+12025550143', 'Office phone': '+442079460123', 'Cell phone': person.e164 };
  for (const [label, value] of Object.entries({ ...fields, ...phones })) {
    await expect(page.getByLabel(label, { exact: true })).toHaveValue(value);
  }
  await expect(page.getByRole('link', { name: 'Ada O\'Brien-Žižek' })).toBeVisible();
});

test('after saving, the fields show what was stored, and the PIN is gone from its field', async ({ page, context, server, visit }) => {
  const { client, person } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  await fill(page, { 'Cell phone': person.phone, 'App unlock PIN': '4711' });
  await press(page, 'Update Entire Profile');
  await expectStatus(page, 'Profile saved.');
  await expect(page.getByLabel('Cell phone')).toHaveValue(person.e164);
  await expect(page.getByLabel('App unlock PIN')).toHaveValue('');
});

test('the PIN is kept where the field stays empty, and never shown', async ({ page, context, server, visit }) => {
  const { client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  await fill(page, { 'App unlock PIN': '4711' });
  await press(page, 'Update Entire Profile');
  await expectStatus(page, 'Profile saved.');
  for (const round of ['first', 'second']) {
    await visit('/account/profile');
    await expect(page.getByLabel('App unlock PIN'), round).toHaveValue('');
    await expect(page.getByText('A PIN is set; leave this empty to keep it.')).toBeVisible();
    expect(await page.content()).not.toContain('4711');
    await press(page, 'Update Entire Profile');
    await expectStatus(page, 'Profile saved.');
  }
});

test.describe('what cannot be saved is said beside its field', () => {
  const cases: [string, string, string][] = [
    ['First name', '', 'Fill in this field'],
    ['Last name', 'x'.repeat(300), 'This is too long'],
    ['Cell phone', '12', 'Enter the number with its country code, like +1 202 555 0100'],
    ['Cell phone', '+1 202 555 O1O1', 'Enter a phone number like +1 202 555 0100'],
    ['Home phone', '+999 1234567890', 'Enter a phone number like +1 202 555 0100'],
    ['App unlock PIN', '123', 'A PIN has 4 to 6 digits'],
    ['App unlock PIN', '12a4', 'A PIN has 4 to 6 digits'],
  ];
  for (const [label, value, error] of cases) {
    test(`${label}: ${value.slice(0, 20) || 'nothing'}`, async ({ page, context, server, visit }) => {
      const { client, person } = await withPassword(server);
      await client.handOver(context);
      await visit('/account/profile');
      await fill(page, { [label]: value });
      await press(page, 'Update Entire Profile');
      await expectError(page, error);
      const field = page.getByLabel(label, { exact: true });
      await expect(field).toHaveAttribute('aria-invalid', 'true');
      await expect(field).toHaveAccessibleDescription(new RegExp(error.replace(/[+.]/g, '\\$&')));
      await expect(field).toBeFocused();
      await visit('/account/profile');
      await expect(page.getByLabel('First name')).toHaveValue(person.firstName);
    });
  }
});

test('a premium number cannot be the cell phone', async ({ page, context, server, visit }) => {
  const { client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  await fill(page, { 'Cell phone': '+1 900 234 5678' });
  await press(page, 'Update Entire Profile');
  await expectError(page, /number/);
  await visit('/account/profile');
  await expect(page.getByLabel('Cell phone')).toHaveValue('');
});

test('without a cell phone two-factor authentication sends its owner to the profile', async ({ page, context, server, visit }) => {
  const { client, person } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/security');
  await expect(page.getByText('A cell phone is needed first.')).toBeVisible();
  await fill(page, { 'Current password': person.password });
  await press(page, 'Enable Two-Factor Authentication');
  await expectError(page, 'Enter your cell phone on the Profile tab first.');
  await press(page, 'Enter it on your profile');
  await arriveAt(page, '/account/profile');
});

test('a new number counts only once it is confirmed, and the old one is told', async ({ page, context, server, visit }) => {
  const { client, person } = await withSms(server);
  await client.handOver(context);
  const { phone, e164 } = somebody();
  await visit('/account/profile');
  await fill(page, { 'Cell phone': phone });
  await press(page, 'Update Entire Profile');
  await expectStatus(page, 'Profile saved.');
  await press(page, 'Security');
  await arriveAt(page, '/account/security');
  await expect(page.getByText('Tokens still go to the old one until you confirm the new number.')).toBeVisible();
  await fill(page, { 'Current password': person.password });
  await press(page, 'Confirm the New Number');
  await arriveAt(page, '/account/security/phone');
  await fill(page, { 'Code from the message': await server.tokenSentTo(e164) });
  await press(page, 'Confirm');
  await expect(page).toHaveURL((url) => url.pathname !== '/account/security/phone');
  await visit('/account/security');
  await expect(page.getByRole('region', { name: 'Factors' })).toContainText(`ending ${e164.slice(-2)}`);
  expect((await server.messages(person.e164))[0]?.body).toContain('tokens for your account go to another number');
  expect((await server.messages(person.email))[0]?.body).toContain('Your cell phone was changed');
});

test('a new number asks for a step-up when the last one is long ago', async ({ page, context, server, visit }) => {
  const { client, person, app } = await withApp(server);
  await server.advance(5 * 60 + 1);
  await client.handOver(context);
  await visit('/account/profile');
  await fill(page, { 'Cell phone': somebody().phone });
  await press(page, 'Update Entire Profile');
  await arriveAt(page, '/account/step-up');
  await fill(page, { 'Current password': person.password, 'Authorization token': await app.freshToken() });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/profile');
});

test.describe('what cannot be a new account is said', () => {
  const cases: [string, string, string][] = [
    ['Practice name', '', 'Fill in this field'],
    ['Email', 'pat at sample.test', 'Enter an e-mail address like name@example.com'],
    ['Username', 'p', 'A user name has 3 to 64 letters, digits, dots, hyphens or underscores'],
    ['Password', 'too short', 'The password must have at least 15 characters'],
    ['Password', 'aaaaaaaaaaaaaaaaaaaa', 'This password is too easy to guess.'],
  ];
  for (const [label, value, error] of cases) {
    test(`${label}: ${value || 'nothing'}`, async ({ page, visit }) => {
      const person = somebody();
      await visit('/signup');
      await sendSignUp(page, person, { [label]: value });
      await expectError(page, error);
      await arriveAt(page, '/signup');
    });
  }

  test('a username that somebody has', async ({ page, server, visit }) => {
    const { person: first } = await withPassword(server);
    const person = somebody();
    await visit('/signup');
    await sendSignUp(page, person, { 'Username': first.username.toUpperCase() });
    await expectError(page, 'This username is taken. Choose another one.');
  });
});
