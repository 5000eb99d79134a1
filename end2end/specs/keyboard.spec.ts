import type { Page } from '@playwright/test';

import { somebody } from '../support/people.ts';
import { arriveAt, expectStatus } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

/** Goes on with Tab until the element of that name has the focus, which has to be visible there. */
async function tabTo(page: Page, role: 'textbox' | 'button' | 'checkbox' | 'link', name: string) {
  const wanted = page.getByRole(role, { name, exact: true });
  await expect(wanted).toBeVisible();
  for (let steps = 0; steps < 40; steps += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) {
      expect(await wanted.evaluate((element) => getComputedStyle(element).outlineStyle), `${name} shows its focus`).not.toBe('none');
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${role} ${name}`);
}

async function type(page: Page, fields: [string, string][]) {
  for (const [label, value] of fields) {
    await tabTo(page, 'textbox', label);
    await page.keyboard.type(value);
  }
}

test('the whole main job is done with the keyboard alone', async ({ page, server, visit }) => {
  test.slow();
  const person = somebody();
  await visit('/signup');
  await type(page, [
    ['Practice name', person.practice],
    ['First name', person.firstName],
    ['Last name', person.lastName],
    ['Email', person.email],
    ['Username', person.username],
    ['Password', person.password],
  ]);
  await page.keyboard.press('Enter');
  await arriveAt(page, '/account/profile');

  await type(page, [['Cell phone', person.phone]]);
  await tabTo(page, 'button', 'Update Entire Profile');
  await page.keyboard.press('Space');
  await expectStatus(page, 'Profile saved.');
  await tabTo(page, 'link', 'Security');
  await page.keyboard.press('Enter');
  await arriveAt(page, '/account/security');

  await type(page, [['Current password', person.password]]);
  await tabTo(page, 'button', 'Enable Two-Factor Authentication');
  await page.keyboard.press('Enter');
  await arriveAt(page, '/account/security/phone');
  await type(page, [['Code from the message', await server.tokenSentTo(person.e164)]]);
  await page.keyboard.press('Enter');

  await arriveAt(page, '/account/security/recovery-codes');
  await tabTo(page, 'checkbox', 'I have stored these codes');
  await page.keyboard.press('Space');
  await tabTo(page, 'button', 'Done');
  await page.keyboard.press('Enter');
  await arriveAt(page, '/account/security');
  await expect(page.getByText('Status: Enabled')).toBeVisible();

  await tabTo(page, 'button', 'Log Out');
  await page.keyboard.press('Enter');
  await arriveAt(page, '/login');
  await server.advance(61);
  await type(page, [
    ['Username or email', person.username],
    ['Password', person.password],
  ]);
  await page.keyboard.press('Enter');
  await arriveAt(page, '/login/token');
  await tabTo(page, 'button', 'Request Token via SMS');
  await page.keyboard.press('Enter');
  await expectStatus(page, 'Token sent');
  await type(page, [['Authorization token', await server.tokenSentTo(person.e164)]]);
  await page.keyboard.press('Enter');
  await arriveAt(page, '/account/security');
});
