import { Client, withApp, withPassword } from '../support/client.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

const NEW = 'nine patient river stones';

test('a changed password counts from then on, and ends the other browsers', async ({ page, context, server, visit }) => {
  const { person, client } = await withPassword(server);
  const elsewhere = new Client(server);
  await elsewhere.logIn(person);
  await client.handOver(context);

  await visit('/account/profile');
  await press(page, 'Change Password');
  await arriveAt(page, '/account/password');
  await fill(page, { 'Current password': person.password, 'New password': NEW, 'Confirm new password': NEW });
  await press(page, 'Change Password');
  await arriveAt(page, '/account/profile');
  await expectStatus(page, 'Password changed. Your other browsers are logged out.');
  expect((await elsewhere.get('/account/profile')).leadsTo).toBe('/login');
  expect((await server.messages(person.email))[0]?.body).toContain('Your password was changed');

  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await expectError(page, 'Username or password is not right.');
  await fill(page, { 'Username or email': person.username, 'Password': NEW });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});

test('what cannot be a new password is said, and the old one stays', async ({ page, context, server, visit }) => {
  const { person, client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/password');
  const cases: [string, string, string, string][] = [
    [person.password, 'fourteen chars', 'fourteen chars', 'The password must have at least 15 characters'],
    [person.password, 'passwordpassword', 'passwordpassword', 'This password is too easy to guess.'],
    [person.password, NEW, `${NEW}!`, 'The two new passwords differ.'],
    ['not my password at all', NEW, NEW, 'The current password is not right.'],
  ];
  for (const [current, fresh, again, error] of cases) {
    await fill(page, { 'Current password': current, 'New password': fresh, 'Confirm new password': again });
    await press(page, 'Change Password');
    await expectError(page, error);
    await arriveAt(page, '/account/password');
  }
  expect((await new Client(server).logIn(person)).leadsTo).toBe('/account/security');
});

test('with a second factor a shorter one will do, after a step-up', async ({ page, context, server, visit }) => {
  const { person, client, app } = await withApp(server);
  await server.advance(5 * 60 + 1);
  await client.handOver(context);
  await visit('/account/password');
  await expect(page.getByText('At least 8 characters.')).toBeVisible();
  const short = 'quay-8-lamp';
  await fill(page, { 'Current password': person.password, 'New password': short, 'Confirm new password': short });
  await press(page, 'Change Password');
  await arriveAt(page, '/account/step-up');
  await fill(page, { 'Current password': person.password, 'Authorization token': await app.freshToken() });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/password');
  await fill(page, { 'Current password': person.password, 'New password': short, 'Confirm new password': short });
  await press(page, 'Change Password');
  await arriveAt(page, '/account/profile');

  // Now it may not stand alone, so two-factor authentication cannot be turned off.
  await visit('/account/security/disable');
  await fill(page, { 'Current password': short, 'Authorization token': await app.freshToken() });
  await press(page, 'Disable Two-Factor Authentication');
  await expectError(page, 'Without two-factor authentication a password needs at least 15 characters.');
});

test('too many wrong passwords slow the next ones down, and say until when', async ({ page, server, visit }) => {
  const { person } = await withPassword(server);
  await visit('/login');
  for (let failures = 1; failures <= 12; failures += 1) {
    await fill(page, { 'Username or email': person.username, 'Password': `wrong password ${failures}` });
    await press(page, 'Log In');
    await expect(page.getByRole('alert')).toHaveText(/\S/);
    if ((await page.getByRole('alert').innerText()).includes('Too many wrong passwords')) {
      break;
    }
  }
  await expectError(page, /Too many wrong passwords\. Try again after \d/);
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await server.advance(15 * 60);
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});
