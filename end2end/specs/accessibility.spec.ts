import type { BrowserContext, Page } from '@playwright/test';

import { type App, anotherThan } from '../support/app.ts';
import { expectAccessible } from '../support/axe.ts';
import { Client, withApp, withPassword, withSms } from '../support/client.ts';
import type { Person } from '../support/people.ts';
import { Practice } from '../support/practice.ts';
import { arriveAt, expectError, expectStatus, fill, press } from '../support/pages.ts';
import type { Server } from '../support/server.ts';
import { expect, test as base } from '../support/test.ts';

// Axe is a script. Where pages are to have none, it looks at the server's HTML: scripts run, but ours does nothing.
const test = base.extend<{ noTakeover: void }>({
  javaScriptEnabled: true,
  withScripts: async ({}, use, info) => use(info.project.name !== 'no-js'),
  noTakeover: [
    async ({ context, withScripts }, use) => {
      if (!withScripts) {
        const nothing = 'export default async () => {}; export const hydrate = () => {};';
        await context.route('**/pkg/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: nothing }));
      }
      await use();
    },
    { auto: true },
  ],
});

interface Stage {
  page: Page;
  context: BrowserContext;
  server: Server;
  visit: (path: string) => Promise<unknown>;
  /** Who owns the practice that the stage is in. */
  owner?: Person;
}

async function logIn({ page, visit }: Stage, person: Person) {
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
}

/** Signed in, with what `make` makes. */
async function signedIn<T extends { client: Client }>({ context, server }: Stage, make: (server: Server) => Promise<T>): Promise<T> {
  const made = await make(server);
  await made.client.handOver(context);
  return made;
}

/** Signed in as the owner of a practice. */
async function practiceOf(stage: Stage): Promise<Practice> {
  const practice = await Practice.create(stage.server);
  await practice.client.handOver(stage.context);
  stage.owner = practice.owner;
  return practice;
}

/** At the page of a member, who is protected if `enabled`. */
async function member(stage: Stage, enabled = false) {
  const practice = await practiceOf(stage);
  const nurse = await practice.add();
  if (enabled) {
    await (await practice.signIn(nurse)).enable(nurse);
  }
  await stage.visit('/practice/staff');
  await stage.page.getByRole('row').filter({ hasText: nurse.username }).getByRole('link', { name: 'View' }).click();
  await expect(stage.page.getByRole('heading', { name: '2-Factor Authentication' })).toBeVisible();
}

async function askedForReset(stage: Stage) {
  await member(stage, true);
  await press(stage.page, 'Reset Two-Factor Authentication');
  await expect(stage.page.getByLabel('Reason')).toBeVisible();
}

/** At forced set-up; where apps are asked for, after its first step. */
async function mustEnrol(stage: Stage, appsOnly: boolean) {
  const practice = await Practice.create(stage.server);
  const nurse = await practice.add();
  const client = await practice.signIn(nurse);
  if (appsOnly) {
    await client.enable(nurse);
  }
  await practice.setPolicy({ nurse: 'required', nurse_from: '2020-01-01', ...(appsOnly ? { nurse_apps: 'on' } : {}) });
  await client.handOver(stage.context);
  await stage.visit('/login/enrol');
  await arriveAt(stage.page, '/login/enrol');
}

/** At a screen that has locked. */
async function locked(stage: Stage) {
  const practice = await practiceOf(stage);
  await practice.setPolicy({ lock: '5' });
  await practice.client.post('/api/update_profile', { first_name: 'Pat', last_name: 'Sample', pin: '4711' });
  await practice.client.handOver(stage.context);
  await stage.server.advance(301);
  await stage.visit('/locked');
  await arriveAt(stage.page, '/locked');
}

/** At the page of the link that somebody without their phone was sent. */
async function resetLink(stage: Stage): Promise<Person> {
  const { person, client } = await withSms(stage.server);
  await client.post('/api/reset_link', { name: person.username, password: person.password, act: 'send' });
  await stage.visit(await stage.server.resetLinkSentTo(person.email));
  await expect(stage.page.getByRole('button', { name: 'Start the 24 Hours' })).toBeVisible();
  return person;
}

async function lock(server: Server, person: Person, app: App) {
  const client = new Client(server);
  for (let round = 0; round < 2; round += 1) {
    await client.logIn(person);
    for (let tries = 0; tries < 5; tries += 1) {
      await client.post('/api/check_token', { token: await app.wrongToken() });
    }
  }
}

/** Each page in its states; each leaves the page as it is to be looked at. */
const STATES: Record<string, (stage: Stage) => Promise<void>> = {
  'Sign up, idle': async ({ visit }) => {
    await visit('/signup');
  },
  'Sign up, error': async ({ page, visit }) => {
    await visit('/signup');
    await press(page, 'Create Practice');
    await expectError(page, /\w/);
  },
  'Log in, idle': async ({ visit }) => {
    await visit('/login');
  },
  'Log in, error': async ({ page, visit }) => {
    await visit('/login');
    await fill(page, { 'Username or email': 'nobody-of-that-name', 'Password': 'not my password at all' });
    await press(page, 'Log In');
    await expectError(page, 'Username or password is not right.');
  },
  'Log in, after too many tokens': async (stage) => {
    const { person, app } = await withApp(stage.server);
    await logIn(stage, person);
    const wrong = await app.wrongToken();
    for (let tries = 0; tries < 5; tries += 1) {
      await fill(stage.page, { 'Authorization token': tries % 2 ? wrong : anotherThan(wrong) });
      await press(stage.page, 'Log In');
      await (tries < 4 ? expectError(stage.page, 'That token is not right') : arriveAt(stage.page, '/login'));
    }
  },
  'Log in, success': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/account/security');
    await press(stage.page, 'Log Out');
    await arriveAt(stage.page, '/login');
    await expectStatus(stage.page, 'You are logged out.');
  },
  'Token, idle, by message': async (stage) => {
    await logIn(stage, (await withSms(stage.server)).person);
  },
  'Token, idle, by app': async (stage) => {
    await logIn(stage, (await withApp(stage.server)).person);
  },
  'Token, sent': async (stage) => {
    const { person } = await withSms(stage.server);
    await stage.server.advance(61);
    await logIn(stage, person);
    await press(stage.page, 'Request Token via SMS');
    await expectStatus(stage.page, 'Token sent');
  },
  'Token, error': async (stage) => {
    const { person, app } = await withApp(stage.server);
    await logIn(stage, person);
    const wrong = await app.wrongToken();
    for (const token of [wrong, anotherThan(wrong)]) {
      await fill(stage.page, { 'Authorization token': token });
      await press(stage.page, 'Log In');
      await expectError(stage.page, 'That token is not right');
    }
    await expect(stage.page.getByText('You have 3 tries left.')).toBeVisible();
  },
  'Token, locked': async (stage) => {
    const { person, app } = await withApp(stage.server);
    await lock(stage.server, person, app);
    await logIn(stage, person);
    await expect(stage.page.getByText('this account is locked')).toBeVisible();
  },
  'Recovery code, idle': async (stage) => {
    await logIn(stage, (await withSms(stage.server)).person);
    await press(stage.page, 'Use a recovery code');
    await arriveAt(stage.page, '/login/recovery');
  },
  'Recovery code, error': async (stage) => {
    await logIn(stage, (await withSms(stage.server)).person);
    await press(stage.page, 'Use a recovery code');
    await arriveAt(stage.page, '/login/recovery');
    await fill(stage.page, { 'Recovery code': '123' });
    await press(stage.page, 'Log In');
    await expectError(stage.page, 'A recovery code has');
  },
  'Recovery code, locked': async (stage) => {
    const { person, app } = await withApp(stage.server);
    await lock(stage.server, person, app);
    await logIn(stage, person);
    await press(stage.page, 'Use a recovery code');
    await arriveAt(stage.page, '/login/recovery');
  },
  'Profile, idle': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/account/profile');
  },
  'Profile, error': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/account/profile');
    await fill(stage.page, { 'Cell phone': '12' });
    await press(stage.page, 'Update Entire Profile');
    await expectError(stage.page, /country code/);
  },
  'Profile, success': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/account/profile');
    await press(stage.page, 'Update Entire Profile');
    await expectStatus(stage.page, 'Profile saved.');
  },
  'Password, idle': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/account/password');
  },
  'Password, error': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/account/password');
    await fill(stage.page, { 'Current password': 'x', 'New password': 'short', 'Confirm new password': 'short' });
    await press(stage.page, 'Change Password');
    await expectError(stage.page, /at least 15/);
  },
  'Security, off, without a phone': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/account/security');
  },
  'Security, off, with a phone': async (stage) => {
    const { client, person } = await signedIn(stage, withPassword);
    await client.savePhone(person);
    await stage.visit('/account/security');
  },
  'Security, error': async (stage) => {
    const { client, person } = await signedIn(stage, withPassword);
    await client.savePhone(person);
    await stage.visit('/account/security');
    await fill(stage.page, { 'Current password': 'not my password at all' });
    await press(stage.page, 'Enable Two-Factor Authentication');
    await expectError(stage.page, 'The current password is not right.');
  },
  'Security, on, by message': async (stage) => {
    await signedIn(stage, withSms);
    await stage.visit('/account/security');
  },
  'Security, on, with an app, another browser and things that wait': async (stage) => {
    const { client, person, app } = await withApp(stage.server);
    const other = new Client(stage.server);
    await other.logIn(person);
    await other.post('/api/check_token', { token: await app.freshToken() });
    await client.startApp();
    await client.handOver(stage.context);
    await stage.visit('/account/security');
    await expect(stage.page.getByRole('button', { name: /^End session/ })).toBeVisible();
  },
  'Phone, idle': async (stage) => {
    const { client, person } = await signedIn(stage, withPassword);
    await client.startEnabling(person);
    await stage.visit('/account/security/phone');
  },
  'Phone, error': async (stage) => {
    const { client, person } = await signedIn(stage, withPassword);
    await client.startEnabling(person);
    await stage.visit('/account/security/phone');
    const right = await stage.server.tokenSentTo(person.e164);
    await fill(stage.page, { 'Code from the message': anotherThan(right) });
    await press(stage.page, 'Confirm');
    await expectError(stage.page, 'That token is not right');
  },
  'Recovery codes, idle': async (stage) => {
    const { client } = await signedIn(stage, withSms);
    await client.post('/api/replace_recovery_codes');
    await stage.visit('/account/security/recovery-codes');
    await arriveAt(stage.page, '/account/security/recovery-codes');
  },
  'Recovery codes, error': async (stage) => {
    const { client } = await signedIn(stage, withSms);
    await client.post('/api/replace_recovery_codes');
    await stage.visit('/account/security/recovery-codes');
    await press(stage.page, 'Done');
    await expectError(stage.page, 'Store the codes, then check the box.');
  },
  'Authenticator app, idle': async (stage) => {
    const { client } = await signedIn(stage, withSms);
    await client.startApp();
    await stage.visit('/account/security/authenticator');
    await arriveAt(stage.page, '/account/security/authenticator');
  },
  'Authenticator app, error': async (stage) => {
    const { client } = await signedIn(stage, withSms);
    const app = await client.startApp();
    await stage.visit('/account/security/authenticator');
    await fill(stage.page, { 'Token from the app': await app.tokenAt((await stage.server.now()) - 120) });
    await press(stage.page, 'Activate');
    await expectError(stage.page, "Your device's clock");
  },
  'Disable, idle': async (stage) => {
    await signedIn(stage, withSms);
    await stage.visit('/account/security/disable');
  },
  'Disable, error': async (stage) => {
    await signedIn(stage, withSms);
    await stage.visit('/account/security/disable');
    await fill(stage.page, { 'Current password': 'not my password at all', 'Authorization token': '000000' });
    await press(stage.page, 'Disable Two-Factor Authentication');
    await expectError(stage.page, 'The password or the token is not right');
  },
  'Step-up, idle, without a factor': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/account/step-up?then=security');
  },
  'Step-up, idle, with a factor': async (stage) => {
    await signedIn(stage, withApp);
    await stage.visit('/account/step-up?then=security');
  },
  'Step-up, error': async (stage) => {
    await signedIn(stage, withApp);
    await stage.visit('/account/step-up?then=security');
    await fill(stage.page, { 'Current password': 'not my password at all', 'Authorization token': '000000' });
    await press(stage.page, 'Confirm');
    await expectError(stage.page, 'The password or the token is not right');
  },
  'Recent activity': async (stage) => {
    await signedIn(stage, withApp);
    await stage.visit('/account/security/activity');
    await expect(stage.page.getByRole('row')).not.toHaveCount(1);
  },
  'Check-up': async (stage) => {
    await signedIn(stage, withApp);
    await stage.visit('/account/check-up');
  },
  'Check-up, error': async (stage) => {
    await signedIn(stage, withApp);
    await stage.visit('/account/check-up');
    await fill(stage.page, { 'Authorization token': '000000' });
    await press(stage.page, 'Check');
    await expectError(stage.page, /token is not right/);
  },
  'Staff': async (stage) => {
    const practice = await practiceOf(stage);
    await practice.add();
    await stage.visit('/practice/staff');
  },
  'Add staff member, error': async (stage) => {
    await practiceOf(stage);
    await stage.visit('/practice/staff/new');
    await press(stage.page, 'Create Staff Account');
    await expectError(stage.page, /\w/);
  },
  'Member': async (stage) => {
    await member(stage);
  },
  'Enable for a member, error': async (stage) => {
    await member(stage);
    await press(stage.page, 'Edit');
    await fill(stage.page, { 'Your password': 'not my password at all' });
    await press(stage.page, 'Enable 2-Factor Authentication');
    await expectError(stage.page, 'The current password is not right.');
  },
  'Details of a member': async (stage) => {
    await member(stage);
    await press(stage.page, 'Change Details');
    await expect(stage.page.getByLabel('Role')).toBeVisible();
  },
  'Details of a member, error': async (stage) => {
    await member(stage);
    await press(stage.page, 'Change Details');
    await fill(stage.page, { 'Cell phone': '12' });
    await press(stage.page, 'Save Details');
    await expectError(stage.page, /country code/);
  },
  'Security policy, preview': async (stage) => {
    const practice = await practiceOf(stage);
    await practice.add();
    await stage.visit('/practice/policy');
    await stage.page.getByLabel('Nurse: two-factor authentication').selectOption('Required');
    await press(stage.page, 'Preview');
    await expect(stage.page.getByRole('heading', { name: 'Preview' })).toBeVisible();
  },
  'Security policy, error': async (stage) => {
    await practiceOf(stage);
    await stage.visit('/practice/policy');
    await fill(stage.page, { 'Idle minutes': '1' });
    await press(stage.page, 'Preview');
    await expectError(stage.page, /minutes/);
  },
  'Coverage': async (stage) => {
    await practiceOf(stage);
    await stage.visit('/practice/coverage');
  },
  'Audit trail': async (stage) => {
    await practiceOf(stage);
    await stage.visit('/practice/audit');
  },
  'Reset of a member': async (stage) => {
    await askedForReset(stage);
  },
  'Reset of a member, error': async (stage) => {
    await askedForReset(stage);
    await fill(stage.page, { 'Reason': 'Lost', 'Your password': 'not my password at all' });
    await press(stage.page, 'Ask for Reset');
    await expectError(stage.page, /not right/);
  },
  'Approvals, error': async (stage) => {
    await askedForReset(stage);
    await fill(stage.page, { 'Reason': 'Lost', 'Your password': stage.owner?.password ?? '' });
    await press(stage.page, 'Ask for Reset');
    await expectStatus(stage.page, 'Asked.');
    await stage.visit('/practice/approvals');
    await fill(stage.page, { 'Your password': 'not my password at all' });
    await press(stage.page, 'Reject');
    await expectError(stage.page, /not right/);
  },
  'Approvals': async (stage) => {
    await askedForReset(stage);
    await fill(stage.page, { 'Reason': 'Lost', 'Your password': stage.owner?.password ?? '' });
    await press(stage.page, 'Ask for Reset');
    await expectStatus(stage.page, 'Asked.');
    await stage.visit('/practice/approvals');
  },
  'Approvals, nothing waits': async (stage) => {
    await practiceOf(stage);
    await stage.visit('/practice/approvals');
  },
  'Lost phone': async ({ visit }) => {
    await visit('/login/reset');
  },
  'Lost phone, the link': async (stage) => {
    await resetLink(stage);
  },
  'Lost phone, to cancel': async (stage) => {
    const person = await resetLink(stage);
    await press(stage.page, 'Start the 24 Hours');
    await expectStatus(stage.page, 'The 24 hours have begun.');
    await stage.visit(await stage.server.resetLinkSentTo(person.e164));
    await expect(stage.page.getByText('waits for its 24 hours to end')).toBeVisible();
  },
  'Forced set-up': async (stage) => {
    await mustEnrol(stage, false);
  },
  'Forced set-up, the second step': async (stage) => {
    await mustEnrol(stage, true);
    await expect(stage.page.getByText('2. An authenticator app')).toBeVisible();
  },
  'Locked': async (stage) => {
    await locked(stage);
  },
  'Locked, error': async (stage) => {
    await locked(stage);
    await fill(stage.page, { 'App unlock PIN': '0000' });
    await press(stage.page, 'Unlock');
    await expectError(stage.page, 'That PIN is not right.');
  },
  'Help': async ({ visit }) => {
    await visit('/help/two-factor');
  },
  'Help, signed in': async (stage) => {
    await signedIn(stage, withPassword);
    await stage.visit('/help/two-factor');
  },
};

for (const [name, reach] of Object.entries(STATES)) {
  test(name, async ({ page, context, server, visit }) => {
    await reach({ page, context, server, visit });
    await expectAccessible(page);
  });
}

test.describe(() => {
  test.use({ expected: [/status of 404/] });

  test('Page not found', async ({ page, visit }) => {
    await visit('/no/such/page');
    await expectAccessible(page);
  });
});

test('The outbox of development', async ({ page, server }) => {
  await withSms(server);
  await page.goto('/dev/outbox');
  await expect(page.getByRole('heading', { name: 'Outbox' })).toBeVisible();
  await expectAccessible(page);
});
