import type { Page, Request } from '@playwright/test';

import { type App, anotherThan } from '../support/app.ts';
import { withApp } from '../support/client.ts';
import type { Person } from '../support/people.ts';
import { arriveAt, expectError, fill, press } from '../support/pages.ts';
import type { Server } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

async function toToken(page: Page, server: Server, visit: (path: string) => Promise<unknown>): Promise<{ person: Person; app: App }> {
  const { person, app } = await withApp(server);
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  return { person, app };
}

function field(page: Page) {
  return page.getByLabel('Authorization token');
}

/** The tokens that are posted from now on. */
function posted(page: Page): string[] {
  const tokens: string[] = [];
  page.on('request', (request: Request) => {
    if (request.url().endsWith('/api/check_token')) {
      tokens.push(new URLSearchParams(request.postData() ?? '').get('token') ?? '');
    }
  });
  return tokens;
}

/** Pastes as a person does: one event with the whole text. */
async function paste(page: Page, text: string) {
  await field(page).focus();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    const target = document.activeElement as HTMLInputElement;
    const isAllowed = target.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    if (isAllowed) {
      target.value = text;
      target.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertFromPaste', data: text }));
    }
  }, text);
}

/** Fills in as a browser does with a token from a text message: a new value and one plain event. */
async function autofill(page: Page, text: string, event: 'InputEvent' | 'Event') {
  await field(page).evaluate(
    (input: HTMLInputElement, [text, event]) => {
      input.value = text;
      const init = { bubbles: true, inputType: 'insertReplacementText' };
      input.dispatchEvent(event === 'Event' ? new Event('input', init) : new InputEvent('input', init));
    },
    [text, event] as const,
  );
}

test('it is one plain field that asks for digits and takes any length', async ({ page, server, visit }) => {
  await toToken(page, server, visit);
  const attributes = {
    type: 'text',
    inputmode: 'numeric',
    autocomplete: 'one-time-code',
    autocapitalize: 'none',
    spellcheck: 'false',
    dir: 'ltr',
  };
  for (const [name, value] of Object.entries(attributes)) {
    await expect(field(page)).toHaveAttribute(name, value);
  }
  expect(await field(page).getAttribute('maxlength')).toBeNull();
  expect(await field(page).getAttribute('pattern')).toBeNull();
  expect(Number.parseFloat(await field(page).evaluate((input) => getComputedStyle(input).fontSize))).toBeGreaterThanOrEqual(16);
});

for (const [name, spell] of [
  ['as it is', (token: string) => token],
  ['with a space in it and around it', (token: string) => ` ${token.slice(0, 3)} ${token.slice(3)} `],
  ['with a hyphen and a no-break space', (token: string) => `${token.slice(0, 3)}-\u{a0}${token.slice(3)}`],
] as const) {
  test(`a token pasted ${name} logs in by itself`, async ({ page, server, visit }) => {
    const { app } = await toToken(page, server, visit);
    const tokens = posted(page);
    await paste(page, spell(await app.freshToken()));
    await arriveAt(page, '/account/security');
    expect(tokens).toHaveLength(1);
  });
}

for (const event of ['InputEvent', 'Event'] as const) {
  test(`a token that the browser fills in with one ${event} logs in by itself`, async ({ page, server, visit }) => {
    const { app } = await toToken(page, server, visit);
    const tokens = posted(page);
    await autofill(page, await app.freshToken(), event);
    await arriveAt(page, '/account/security');
    expect(tokens).toHaveLength(1);
  });
}

test('typing waits for the button or Enter', async ({ page, server, visit }) => {
  const { app } = await toToken(page, server, visit);
  const tokens = posted(page);
  const token = await app.freshToken();
  await field(page).pressSequentially(token);
  await expect(field(page)).toHaveValue(token);
  // What comes after the last digit has been handled by the time this answers.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  expect(tokens).toEqual([]);
  await arriveAt(page, '/login/token');
  await field(page).press('Enter');
  await arriveAt(page, '/account/security');
  expect(tokens).toEqual([token]);
});

test('a value that has just failed is not sent again by itself, and leading zeros are kept', async ({ page, server, visit }) => {
  const { app } = await toToken(page, server, visit);
  const tokens = posted(page);
  const right = [await app.freshToken()];
  const wrong = ['000001', '000002', '000003'].find((token) => !right.includes(token)) ?? '000004';
  await paste(page, wrong);
  await expectError(page, 'That token is not right');
  expect(tokens).toEqual([wrong]);
  await paste(page, wrong);
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  expect(tokens).toEqual([wrong]);
});

test('after an error the field has the focus, its content is selected, and typing replaces it', async ({ page, server, visit }) => {
  const { app } = await toToken(page, server, visit);
  const wrong = await app.wrongToken();
  await field(page).pressSequentially(wrong);
  await press(page, 'Log In');
  await expectError(page, 'That token is not right');
  await expect(field(page)).toBeFocused();
  await expect(field(page)).toHaveValue(wrong);
  await expect(field(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(field(page)).toHaveAccessibleDescription(/That token is not right/);
  const selected = await field(page).evaluate((input: HTMLInputElement) => [input.selectionStart, input.selectionEnd]);
  expect(selected).toEqual([0, 6]);

  await page.keyboard.type(anotherThan(wrong)[0] ?? '0');
  await expect(field(page)).toHaveValue(/^\d$/);
  // The first edit takes the error away.
  await expect(page.locator('[role=alert]')).toBeEmpty();
  await expect(field(page)).not.toHaveAttribute('aria-invalid', 'true');
  await expect(page).toHaveTitle('Two-factor authentication – Twofold');
});

for (const [typed, text] of [
  ['', 'Enter the 6-digit token'],
  ['123', "You've not entered enough numbers, the token must be 6 numbers"],
  ['1234567', "You've entered too many numbers, the token must be 6 numbers"],
  ['12ab56', 'The token must be 6 numbers'],
] as const) {
  test(`what cannot be a token is said without asking the server: ${typed || 'nothing'}`, async ({ page, server, visit }) => {
    await toToken(page, server, visit);
    const tokens = posted(page);
    await field(page).fill(typed);
    await press(page, 'Log In');
    await expectError(page, text);
    await expect(page.getByRole('alert')).toHaveText(text);
    await expect(field(page)).toBeFocused();
    expect(tokens).toEqual([]);
  });
}

test('a second press while the first is under way is ignored', async ({ page, server, visit }) => {
  const { app } = await toToken(page, server, visit);
  const tokens = posted(page);
  let letThrough = () => {};
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route('**/api/check_token', async (route) => {
    await held;
    await route.continue();
  });
  await field(page).fill(await app.freshToken());
  const button = page.getByRole('button', { name: 'Log In', exact: true });
  await button.click();
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  // By the keyboard, since a pointer does not get past what is disabled.
  await button.press('Enter');
  await field(page).press('Enter');
  letThrough();
  await arriveAt(page, '/account/security');
  expect(tokens).toHaveLength(1);
});

test('when the server cannot be reached the page says that the token still counts', async ({ page, server, visit, expected }) => {
  expected.push(/ERR_INTERNET_DISCONNECTED|ERR_FAILED/);
  const { app } = await toToken(page, server, visit);
  const token = await app.freshToken();
  await page.route('**/api/check_token', (route) => route.abort());
  await field(page).fill(token);
  await press(page, 'Log In');
  await expectError(page, "We can't check tokens right now. Yours was not used. Try again in a minute.");
  await page.unroute('**/api/check_token');
  await press(page, 'Log In');
  await arriveAt(page, '/account/security');
});

test('what was typed before the page came alive is kept', async ({ page, server, visit }) => {
  await toToken(page, server, visit);
  let letThrough = () => {};
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route('**/*.wasm', async (route) => {
    await held;
    await route.continue();
  });
  // Opened without waiting: the person is faster than the WASM.
  await page.goto('/login/token', { waitUntil: 'domcontentloaded' });
  await field(page).fill('123');
  letThrough();
  await expect(page.locator('html')).toHaveAttribute('data-hydrated');
  await expect(field(page)).toHaveValue('123');
});
