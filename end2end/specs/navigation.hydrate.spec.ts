import { withPassword, withSms } from '../support/client.ts';
import { arriveAt, expectStatus, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

declare global {
  interface Window {
    /** Set by a test; gone after a load of a document. */
    isSameDocument?: boolean;
  }
}

test('tabs and pages change without a load, focus and title follow', async ({ page, context, server, visit }) => {
  const { client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  await page.evaluate(() => (window.isSameDocument = true));
  await expect(page).toHaveTitle('Profile – Twofold');

  const steps = [
    ['Security', '/account/security', 'Security – Twofold'],
    ['Profile', '/account/profile', 'Profile – Twofold'],
    ['Change Password', '/account/password', 'Change password – Twofold'],
    ['Back to the profile', '/account/profile', 'Profile – Twofold'],
  ] as const;
  for (const [link, path, title] of steps) {
    await press(page, link);
    await arriveAt(page, path);
    await expect(page).toHaveTitle(title);
    await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  }
  await page.goBack();
  await arriveAt(page, '/account/password');
  await page.goForward();
  await arriveAt(page, '/account/profile');
  expect(await page.evaluate(() => window.isSameDocument)).toBe(true);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated');
});

test('forms change the page without a load as well', async ({ page, server, visit }) => {
  const { person } = await withSms(server);
  await server.advance(61);
  await visit('/login');
  await page.evaluate(() => (window.isSameDocument = true));
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await press(page, 'Request Token via SMS');
  await expectStatus(page, 'Token sent');
  await fill(page, { 'Authorization token': await server.tokenSentTo(person.e164) });
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  expect(await page.evaluate(() => window.isSameDocument)).toBe(true);
});

test('the data of a page come in one request, and a page that is loaded whole asks for none', async ({ page, context, server, visit }) => {
  const { client } = await withPassword(server);
  await client.handOver(context);
  const requests: string[] = [];
  page.on('request', (request) => {
    if (request.resourceType() !== 'document' && !new URL(request.url()).pathname.startsWith('/pkg/')) {
      requests.push(new URL(request.url()).pathname);
    }
  });
  await visit('/account/profile');
  expect(requests.filter((path) => path.startsWith('/api/'))).toEqual([]);
  await press(page, 'Security');
  await arriveAt(page, '/account/security');
  expect(requests.filter((path) => path.startsWith('/api/'))).toEqual(['/api/load_security']);
});

test('the skip link moves the focus past the frame', async ({ page, visit }) => {
  await visit('/signup');
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to content' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Practice name')).toBeFocused();
});

test('while typing, a field that was found wrong says when it is right', async ({ page, visit }) => {
  await visit('/signup');
  const email = page.getByLabel('Email', { exact: true });
  await email.pressSequentially('pat at sample');
  await expect(email).not.toHaveAttribute('aria-invalid', 'true');
  await email.press('Tab');
  await expect(email).toHaveAttribute('aria-invalid', 'true');
  await expect(email).toHaveAccessibleDescription(/Enter an e-mail address like name@example\.com/);
  await email.fill('pat@sample.test');
  await expect(email).not.toHaveAttribute('aria-invalid', 'true');

  const password = page.getByLabel('Password', { exact: true });
  await password.fill('short');
  await password.press('Shift+Tab');
  await expect(password).toHaveAccessibleDescription(/The password must have at least 15 characters/);
});

test('copying puts the recovery codes on the clipboard and says so', async ({ page, context, server, visit }) => {
  const { client } = await withSms(server);
  await client.post('/api/replace_recovery_codes');
  await client.handOver(context);
  await context.grantPermissions(['clipboard-write']);
  await visit('/account/security/recovery-codes');
  await press(page, 'Copy');
  await expect(page.getByText('Copied')).toBeVisible();
  const codes = await page.getByRole('listitem').filter({ has: page.locator('code') }).allInnerTexts();
  // No page of ours may read the clipboard, so this is pasted as a person would.
  await visit('/account/profile');
  await page.getByLabel('Specialty').focus();
  await page.keyboard.press('ControlOrMeta+V');
  await expect(page.getByLabel('Specialty')).toHaveValue(codes.join(' '));
});

test('the resend button counts the wait down beside itself, not in its name', async ({ page, context, server, visit }) => {
  const { client, person } = await withPassword(server);
  await client.startEnabling(person);
  await client.handOver(context);
  await page.clock.install();
  await visit('/account/security/phone');
  const button = page.getByRole('button', { name: 'Send Again', exact: true });
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  await expect(page.getByText(/^You can request a new token in \d+ s$/)).toBeVisible();
  await page.clock.runFor(61_000);
  await expect(button).not.toHaveAttribute('aria-disabled', 'true');
  await expect(page.getByText('You can request a new token now')).toBeAttached();
});
