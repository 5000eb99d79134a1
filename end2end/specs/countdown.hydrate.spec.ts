import type { Page } from '@playwright/test';

import { withApp, withSms } from '../support/client.ts';
import { arriveAt, fill, press } from '../support/pages.ts';
import type { Server } from '../support/server.ts';
import { expect, hydrated, test } from '../support/test.ts';

/** The token page of somebody with an app, with the browser's clock in the test's hand. */
async function toToken(page: Page, server: Server, visit: (path: string) => Promise<unknown>) {
  const { person, app } = await withApp(server);
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  return { person, app };
}

/**
 * Moves the server's clock to so many seconds before its next period, loads the page there, and stops the browser's clock
 * within two seconds: from then on it goes as the test says.
 */
async function openWithSecondsLeft(page: Page, server: Server, seconds: number) {
  const now = await server.now();
  const left = 30 - (now % 30);
  await server.advance((left - seconds + 30) % 30);
  await page.clock.install();
  await page.goto('/login/token');
  await hydrated(page);
  await page.clock.pauseAt((await page.evaluate(() => Date.now())) + 1000);
}

async function shownSeconds(page: Page): Promise<number> {
  const text = await page.getByRole('timer').innerText();
  return Number(/(\d+) s/.exec(text)?.[1]);
}

test('it shows the seconds to the next token as a number and a bar, and is silent each second', async ({ page, server, visit }) => {
  // The bar is what moves.
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await toToken(page, server, visit);
  const timer = page.getByRole('timer');
  await expect(timer).toContainText(/A new token in \d+ s/);
  await expect(timer).toHaveAttribute('aria-live', 'off');
  const now = await server.now();
  const expected = 30 - (now % 30);
  const shown = await shownSeconds(page);
  expect(Math.min(Math.abs(shown - expected), 30 - Math.abs(shown - expected))).toBeLessThanOrEqual(1);
  const bar = timer.locator('.bar');
  await expect(bar).toHaveAttribute('aria-hidden', 'true');
  await expect(bar).toBeVisible();
});

test('the number goes down by one each second and never shows 0', async ({ page, server, visit }) => {
  await toToken(page, server, visit);
  await openWithSecondsLeft(page, server, 20);
  let before = await shownSeconds(page);
  for (let second = 0; second < 35; second += 1) {
    await page.clock.runFor(1000);
    const after = await shownSeconds(page);
    expect(after).toBe(before === 1 ? 30 : before - 1);
    before = after;
  }
});

test('the last five seconds are marked by a word, not by colour alone', async ({ page, server, visit }) => {
  await toToken(page, server, visit);
  await openWithSecondsLeft(page, server, 12);
  await expect(page.getByText('Ends soon')).toHaveCount(0);
  await page.clock.runFor(8000);
  expect(await shownSeconds(page)).toBeLessThanOrEqual(5);
  await expect(page.getByRole('timer')).toContainText('Ends soon');
  await page.clock.runFor(6000);
  await expect(page.getByText('Ends soon')).toHaveCount(0);
});

test('a screen reader hears of ten seconds, five seconds and a new token, while the field has the focus', async ({ page, server, visit }) => {
  await toToken(page, server, visit);
  await openWithSecondsLeft(page, server, 20);
  await page.getByLabel('Authorization token').focus();
  const region = page.locator('[aria-live=polite]');
  const heard = async () => (await region.allInnerTexts()).map((text) => text.trim()).filter(Boolean);
  const said = new Set<string>();
  for (let second = 0; second < 22; second += 1) {
    await page.clock.runFor(1000);
    for (const text of await heard()) {
      said.add(text);
    }
  }
  expect([...said]).toEqual(['10 seconds left', '5 seconds left', 'New token']);
});

test('it says nothing while the focus is elsewhere', async ({ page, server, visit }) => {
  await toToken(page, server, visit);
  await openWithSecondsLeft(page, server, 20);
  await page.getByRole('button', { name: 'Cancel' }).focus();
  await page.clock.runFor(22_000);
  expect((await page.locator('[aria-live=polite]').allInnerTexts()).join('').trim()).toBe('');
});

test('it rests while the page is hidden, and is right when the page is back', async ({ page, server, visit }) => {
  await toToken(page, server, visit);
  await openWithSecondsLeft(page, server, 25);
  const setHidden = async (hidden: boolean) =>
    page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, hidden);
  const before = await shownSeconds(page);
  await setHidden(true);
  await page.clock.runFor(7000);
  expect(await shownSeconds(page)).toBe(before);
  await setHidden(false);
  expect(await shownSeconds(page)).toBe(before - 7);
});

test('who has no app is shown no countdown', async ({ page, server, visit }) => {
  const { person } = await withSms(server);
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');
  await expect(page.getByRole('timer')).toHaveCount(0);
});

test('reduced motion leaves the number and stops the bar', async ({ page, server, visit }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await toToken(page, server, visit);
  await expect(page.getByRole('timer')).toContainText(/\d+ s/);
  const running = await page.evaluate(() => document.getAnimations().filter((animation) => animation.playState === 'running').length);
  expect(running).toBe(0);
});

/** The token that the set-up page shows, which is spelt for screen readers too. */
async function expectPreview(page: Page, token: string) {
  const preview = page.locator('.preview');
  await expect.poll(async () => (await preview.locator('.digits').innerText()).replaceAll(/\s/g, '')).toBe(token);
  await expect(preview).toContainText([...token].join(' '));
}

test('the set-up page shows the very token that the app should show, and then the next one', async ({ page, context, server, visit }) => {
  const { client } = await withSms(server);
  const app = await client.startApp();
  await client.handOver(context);
  const now = await server.now();
  // Early in a period, so that the page and this test speak of the same one.
  await server.advance(30 - (now % 30));
  await page.clock.install();
  await visit('/account/security/authenticator');
  const start = await server.now();
  await expect(page.getByRole('timer')).toContainText(/Your token expires in \d+ s/);
  await expectPreview(page, await app.tokenAt(start));
  await page.clock.runFor(30_000);
  await expectPreview(page, await app.tokenAt(start + 30));
});

test("the preview follows the server's clock, not the browser's", async ({ page, context, server, visit }) => {
  const { client } = await withSms(server);
  const app = await client.startApp();
  await client.handOver(context);
  const now = await server.now();
  await server.advance(30 - (now % 30));
  await page.clock.install({ time: new Date('2031-05-06T07:08:09Z') });
  await visit('/account/security/authenticator');
  await expectPreview(page, await app.tokenAt(await server.now()));
});
