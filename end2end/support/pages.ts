import { expect, type Page } from '@playwright/test';

/** The pages by path, each with its heading. What the interface contract calls by these names is called so here. */
const HEADINGS = {
  '/signup': 'Create your practice',
  '/login': 'Log in',
  '/login/token': 'Two-factor authentication',
  '/login/recovery': 'Use a recovery code',
  '/account/profile': 'Account Settings',
  '/account/password': 'Change password',
  '/account/security': 'Account Settings',
  '/account/security/phone': 'Confirm your cell phone',
  '/account/security/recovery-codes': 'Recovery codes',
  '/account/security/authenticator': 'Add an authenticator app',
  '/account/security/disable': 'Disable two-factor authentication',
  '/account/security/activity': 'Recent activity',
  '/account/check-up': 'Is your authenticator still at hand?',
  '/account/step-up': 'Confirm it is you',
  '/help/two-factor': 'Two-factor authentication',
  '/login/enrol': 'Set up two-factor authentication',
  '/login/reset': 'I lost my phone',
  '/locked': 'Screen locked',
  '/practice/staff': 'Staff',
  '/practice/staff/new': 'Add staff member',
  '/practice/policy': 'Security policy',
  '/practice/coverage': 'Coverage',
  '/practice/approvals': 'Approvals',
  '/practice/audit': 'Audit trail',
} as const;

export type Path = keyof typeof HEADINGS;

export const PATHS = Object.keys(HEADINGS) as Path[];
/** Pages that anybody may see. */
export const PUBLIC_PATHS: readonly Path[] = ['/signup', '/login', '/login/reset', '/help/two-factor'];
/** Pages of somebody who is signed in, where nothing waits to be set up. */
export const ACCOUNT_PATHS: readonly Path[] = ['/account/profile', '/account/password', '/account/security', '/account/step-up'];
/** The tabs of Account Settings, which share a heading. */
const TABS: Partial<Record<Path, string>> = { '/account/profile': 'Profile', '/account/security': 'Security' };

/** Waits until a page is there: its address, its heading, and its tab. */
export async function arriveAt(page: Page, path: Path) {
  await expect(page).toHaveURL((url) => url.pathname === path);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(HEADINGS[path]);
  const tab = TABS[path];
  if (tab) {
    await expect(page.getByRole('navigation', { name: 'Account Settings' }).getByRole('link', { name: tab })).toHaveAttribute(
      'aria-current',
      'page',
    );
  }
}

/** Fills fields in by their labels. */
export async function fill(page: Page, fields: Record<string, string>) {
  for (const [label, value] of Object.entries(fields)) {
    await page.getByLabel(label, { exact: true }).fill(value);
  }
}

/** Presses the button or follows the link of that name. */
export async function press(page: Page, name: string) {
  await page
    .getByRole('button', { name, exact: true })
    .or(page.getByRole('link', { name, exact: true }))
    .click();
}

/** What went wrong, as the page says it. */
export async function expectError(page: Page, text: string | RegExp) {
  await expect(page.getByRole('alert').filter({ hasText: text })).toBeVisible();
  await expect(page).toHaveTitle(/^Error: /);
}

/** What went well, as the page says it. */
export async function expectStatus(page: Page, text: string | RegExp) {
  await expect(page.getByRole('status').filter({ hasText: text })).toBeVisible();
}
