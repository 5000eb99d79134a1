import type { Page } from '@playwright/test';

import { expectAccessible } from '../support/axe.ts';
import { withSms } from '../support/client.ts';
import { Device } from '../support/device.ts';
import { press } from '../support/pages.ts';
import type { Server } from '../support/server.ts';
import { Site } from '../support/site.ts';
import { expect, test } from '../support/test.ts';

/** A token with so many seconds left, and the browser's clock in the test's hand. */
async function withSecondsLeft(page: Page, server: Server, left: number) {
  await page.clock.install({ time: new Date('2031-05-06T07:08:00Z') });
  const [device, site] = [new Device(server, page), new Site('Mail', { digits: 7, algorithm: 'sha256' })];
  await device.setUpAlone(site);
  const now = await page.evaluate(() => Date.now());
  // The next period but one, so that it lies ahead.
  const start = Math.ceil(now / 30_000) * 30_000 + 30_000 - left * 1000;
  await page.clock.pauseAt(start);
  return { device, site };
}

async function seconds(page: Page): Promise<number> {
  return Math.floor((await page.evaluate(() => Date.now())) / 1000);
}

/** Puts the page into the background, or back; returns what it shows right after. */
async function setHidden(page: Page, hidden: boolean): Promise<string> {
  return page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    // A task of its own comes after all that the event has led to; the clock's time-outs are in the test's hand.
    return new Promise<string>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(document.body.innerText);
      port2.postMessage('');
    });
  }, hidden);
}

/** What is said to a screen reader in so many seconds. */
async function said(page: Page, during: number): Promise<string[]> {
  const texts = new Set<string>();
  for (let second = 0; second < during; second += 1) {
    await page.clock.runFor(1000);
    for (const text of await page.locator('[aria-live=polite]').allInnerTexts()) {
      texts.add(text.trim());
    }
  }
  return [...texts].filter(Boolean);
}

test('a screen reader reads the token digit by digit, without the countdown', async ({ page, server }) => {
  const { site } = await withSecondsLeft(page, server, 20);
  const token = await site.tokenAt(await seconds(page));
  const spoken = `Token for Mail: ${[...token.slice(0, 3)].join(' ')}, ${[...token.slice(3)].join(' ')}`;
  await expect(page.getByRole('group', { name: spoken, exact: true })).toBeVisible();
  await expect(page.locator('.digits')).toHaveText(token);
  await expect(page.getByRole('timer')).toHaveAttribute('aria-live', 'off');
  await expect(page.getByRole('timer').locator('.bar')).toHaveAttribute('aria-hidden', 'true');
  await expect(page.getByRole('timer')).toHaveText('Your token expires in 20 s');
});

test('milestones are said while the token has the focus', async ({ page, server }) => {
  await withSecondsLeft(page, server, 20);
  await page.locator('.digits').focus();
  expect(await said(page, 22)).toEqual(['10 seconds left', '5 seconds left', 'New token']);
});

test('milestones are said after a copy, and not for long', async ({ page, context, server }) => {
  await context.grantPermissions(['clipboard-write']);
  await withSecondsLeft(page, server, 20);
  await press(page, 'Copy');
  await expect(page.getByRole('status').filter({ hasText: 'Copied, 20 s left' })).toBeVisible();
  expect(await said(page, 22)).toEqual(['10 seconds left', '5 seconds left', 'New token']);
  await page.clock.runFor(10_000);
  expect(await said(page, 22)).toEqual(['New token']);
});

test('what is copied is the token', async ({ page, context, server }) => {
  await context.grantPermissions(['clipboard-write']);
  const { device } = await withSecondsLeft(page, server, 20);
  const token = await device.token();
  await page.locator('.digits').press('Enter');
  await expect(page.getByRole('status').filter({ hasText: 'Copied, 20 s left' })).toBeVisible();
  await press(page, 'Accounts');
  await page.getByLabel('Search').press('ControlOrMeta+v');
  await expect(page.getByLabel('Search')).toHaveValue(token);
});

test('it is silent while the focus is elsewhere', async ({ page, server }) => {
  await withSecondsLeft(page, server, 20);
  await page.getByRole('button', { name: 'Settings' }).focus();
  expect(await said(page, 25)).toEqual([]);
});

test('the last five seconds say so and show the next token, which follows without a pause', async ({ page, server }) => {
  const { device, site } = await withSecondsLeft(page, server, 6);
  await expect(page.getByText('Ends soon')).toHaveCount(0);
  await expect(page.getByText(/^Next/)).toHaveCount(0);
  await page.clock.runFor(1000);
  await expect(page.getByRole('timer')).toHaveText('Your token expires in 5 s · Ends soon');
  const next = await site.tokenAt((await seconds(page)) + 30);
  await expect(page.getByText(`Next ${next.slice(0, 3)} ${next.slice(3)}`)).toBeVisible();
  await page.clock.runFor(5000);
  expect(await device.token()).toBe(next);
  await expect(page.getByRole('timer')).toHaveText('Your token expires in 30 s');
  await expect(page.getByText('Ends soon')).toHaveCount(0);
});

test('the last five seconds with the next token are accessible', async ({ page, server }) => {
  await withSecondsLeft(page, server, 4);
  await expect(page.getByText(/^Next/)).toBeVisible();
  // Axe waits for timers: they run on while the time stands still.
  await page.clock.setFixedTime(await page.evaluate(() => Date.now()));
  await page.clock.resume();
  await expectAccessible(page);
  await expect(page.getByRole('timer')).toHaveText('Your token expires in 4 s · Ends soon');
  await expect(page.getByText(/^Next/)).toBeVisible();
});

test('it rests while the page is hidden, and is right when it is seen again', async ({ page, server }) => {
  const { device, site } = await withSecondsLeft(page, server, 25);
  await setHidden(page, true);
  await page.clock.runFor(40_000);
  await expect(page.getByRole('timer')).toHaveText('Your token expires in 25 s');
  await setHidden(page, false);
  await expect(page.getByRole('timer')).toHaveText('Your token expires in 15 s');
  expect(await device.token()).toBe(await site.tokenAt(await seconds(page)));
});

test('a page in the background shows no digits, to the eye or to a screen reader', async ({ page, server }) => {
  const { device, site } = await withSecondsLeft(page, server, 4);
  await expect(page.getByText(/^Next/)).toBeVisible();
  const token = await site.tokenAt(await seconds(page));
  // At once: the picture in the list of tasks is taken when the page goes.
  expect(await setHidden(page, true)).not.toContain(token);
  await expect(page.locator('.digits')).toHaveText('•••••••');
  await expect(page.locator('.digits')).toHaveAttribute('aria-label', 'Token for Mail, hidden');
  await expect(page.getByText(/^Next/)).toHaveCount(0);
  await setHidden(page, false);
  await expect(page.locator('.digits')).toHaveText(token);
  expect(await device.token()).toBe(token);
});

test('a token that its owner hides is shown by a tap', async ({ page, server }) => {
  const { device, site } = await withSecondsLeft(page, server, 20);
  await press(page, 'Settings');
  await page.getByLabel('Hide the token until I tap it').check();
  await press(page, 'Back');
  await expect(page.locator('.digits')).toHaveText('•••••••');
  await page.locator('.digits').click();
  await expect(page.locator('.digits')).toHaveText(await site.tokenAt(await seconds(page)));
  await device.token();
});

for (const key of ['Enter', 'Space']) {
  test(`a hidden token has no digits in its name, and ${key} shows and copies it`, async ({ page, context, server }) => {
    await context.grantPermissions(['clipboard-write']);
    const { device, site } = await withSecondsLeft(page, server, 20);
    await press(page, 'Settings');
    await page.getByLabel('Hide the token until I tap it').check();
    await press(page, 'Back');
    const token = await site.tokenAt(await seconds(page));
    const hidden = page.getByRole('group', { name: 'Token for Mail, hidden', exact: true });
    await expect(hidden).toBeVisible();
    expect((await page.locator('body').ariaSnapshot()).replace(/\D/g, '')).not.toContain(token);
    await hidden.press(key);
    await expect(page.getByRole('status').filter({ hasText: /^Copied, \d+ s left$/ })).toBeVisible();
    expect(await device.token()).toBe(token);
    await expect(page.locator('.digits')).toBeFocused();
  });
}

test("a phone's clock that is wrong is said, and its tokens are right", async ({ page, server }) => {
  await page.clock.install({ time: (await server.now()) * 1000 - 47_000 });
  const [device, site] = [new Device(server, page), new Site('Mail')];
  await device.setUp((await withSms(server)).person);
  await device.addSite(site);
  // The registration has moved the server's clock on.
  await expect(page.getByText(/^Your phone's clock is \d+ (s|minutes) slow\. Tokens are corrected\.$/)).toBeVisible();
  await device.expectTokenOf(site);
});
