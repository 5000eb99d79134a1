import { expect, type Page } from '@playwright/test';

import { arriveAt, expectStatus, fill, press } from './pages.ts';
import type { Person } from './people.ts';
import type { Server } from './server.ts';

/** The form of a new practice, with some fields filled in otherwise; sent off. */
export async function sendSignUp(page: Page, person: Person, otherwise: Record<string, string> = {}) {
  await fill(page, {
    'Practice name': person.practice,
    'First name': person.firstName,
    'Last name': person.lastName,
    'Email': person.email,
    'Username': person.username,
    'Password': person.password,
    ...otherwise,
  });
  await press(page, 'Create Practice');
}

/** A new practice with its first provider. */
export async function signUp(page: Page, visit: (path: string) => Promise<unknown>, person: Person) {
  await visit('/signup');
  await sendSignUp(page, person);
  await arriveAt(page, '/account/profile');
  await expectStatus(page, 'Your practice is ready.');
}

/** The cell phone of the profile. */
export async function savePhone(page: Page, person: Person) {
  await fill(page, { 'Cell phone': person.phone });
  await press(page, 'Update Entire Profile');
  await expectStatus(page, 'Profile saved.');
}

/** Two-factor authentication by text messages, from the profile on. Returns the recovery codes. */
export async function enable(page: Page, server: Server, person: Person): Promise<string[]> {
  await press(page, 'Security');
  await arriveAt(page, '/account/security');
  await expect(page.getByText('Status: Disabled')).toBeVisible();
  await expect(page.getByLabel('Email to use')).toHaveValue(person.email);
  await expect(page.getByLabel('Cell phone to use')).toHaveValue(person.e164);
  await expect(page.getByText('Text messages are the weaker way.')).toBeVisible();
  await fill(page, { 'Current password': person.password });
  await press(page, 'Enable Two-Factor Authentication');

  await arriveAt(page, '/account/security/phone');
  await expectStatus(page, `Code sent to the number ending ${person.e164.slice(-2)}.`);
  await expect(page.getByText(person.e164)).toHaveCount(0);
  await fill(page, { 'Code from the message': await server.tokenSentTo(person.e164) });
  await press(page, 'Confirm');

  await arriveAt(page, '/account/security/recovery-codes');
  const codes = await page.getByRole('list').filter({ has: page.locator('code') }).getByRole('listitem').allInnerTexts();
  await page.getByLabel('I have stored these codes').check();
  await press(page, 'Done');
  await arriveAt(page, '/account/security');
  await expect(page.getByText('Status: Enabled')).toBeVisible();
  return codes;
}
