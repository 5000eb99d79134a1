import { resolve } from 'node:path';

import { App } from '../support/app.ts';
import { Client } from '../support/client.ts';
import { type Person, somebody } from '../support/people.ts';
import { arriveAt, fill, press } from '../support/pages.ts';
import { test } from '../support/test.ts';

/** Below the root of the project. */
const folder = resolve(import.meta.dirname, '../..', process.env['TWOFOLD_SCREENSHOTS'] ?? '');

const maria: Person = {
  ...somebody(),
  practice: 'Elm Street Clinic',
  firstName: 'Maria',
  lastName: 'Lindqvist',
  email: 'maria@sample.test',
  username: 'maria',
};

test('pictures of the main pages, wide and narrow, light and dark', async ({ page, context, server, visit }) => {
  test.setTimeout(120_000);
  const take = async (name: string) => {
    for (const width of [1280, 320]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: width > 640 ? 800 : 640 });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true, animations: 'disabled', caret: 'hide' });
      }
    }
  };

  await visit('/signup');
  await take('signup');
  const client = new Client(server);
  await client.signUp(maria);
  await client.savePhone(maria);
  await client.handOver(context);
  await visit('/account/profile');
  await take('profile');
  await visit('/account/security');
  await take('security-off');
  await fill(page, { 'Current password': maria.password });
  await press(page, 'Enable Two-Factor Authentication');
  await arriveAt(page, '/account/security/phone');
  await take('phone');
  await fill(page, { 'Code from the message': await server.tokenSentTo(maria.e164) });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security/recovery-codes');
  await take('recovery-codes');
  await page.getByLabel('I have stored these codes').check();
  await press(page, 'Done');
  await arriveAt(page, '/account/security');
  await press(page, 'Add an authenticator app');
  await arriveAt(page, '/account/security/authenticator');
  await take('authenticator');
  const app = new App(server, await page.getByRole('group', { name: 'Setup key' }).innerText());
  await fill(page, { 'Token from the app': await app.freshToken() });
  await press(page, 'Activate');
  await arriveAt(page, '/account/security');
  await take('security-on');
  await press(page, 'Log Out');
  await arriveAt(page, '/login');
  await take('login');
  await fill(page, { 'Username or email': maria.username, 'Password': maria.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await take('token');
  await visit('/help/two-factor');
  await take('help');
});
