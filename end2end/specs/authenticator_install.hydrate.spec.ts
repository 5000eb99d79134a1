import type { Page } from '@playwright/test';

import { expectAccessible } from '../support/axe.ts';
import { Device } from '../support/device.ts';
import { press } from '../support/pages.ts';
import { Site } from '../support/site.ts';
import { expect, hydrated, test } from '../support/test.ts';

const HINT = /^Put the authenticator on your home screen/;

/** Offers the app as a browser does that has found it worth one; `data-asked` tells once the person is asked. */
async function offer(page: Page) {
  await page.evaluate(() => {
    const prompt = () => document.documentElement.setAttribute('data-asked', '');
    window.dispatchEvent(Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt }));
  });
}

async function startAnew(device: Device) {
  await device.page.reload();
  await hydrated(device.page);
  await device.unlock();
  await device.token();
}

test('the app is offered after the first account, and not again once there is an answer', async ({ page, server }) => {
  const device = new Device(server, page);
  await device.open();
  await offer(page);
  await expect(page.getByText(HINT)).toHaveCount(0);
  await device.setUpAlone(new Site('Mail'));
  await expect(page.getByText(HINT)).toHaveCount(0);
  await offer(page);
  await expect(page.getByText(HINT)).toBeVisible();
  await expectAccessible(page);
  await startAnew(device);
  await offer(page);
  await press(page, 'Install');
  await expect(page.locator('html')).toHaveAttribute('data-asked');
  await expect(page.getByText(HINT)).toHaveCount(0);
  await startAnew(device);
  await offer(page);
  await press(page, 'Settings');
  await press(page, 'Back');
  await device.token();
  await expect(page.getByText(HINT)).toHaveCount(0);
});

test.describe('on an iPhone', () => {
  test.use({ userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1' });

  test('the way over the menu Share is told, until it is dismissed', async ({ page, server }) => {
    const device = new Device(server, page);
    await device.setUpAlone(new Site('Mail'));
    await expect(page.getByText(HINT)).toContainText('Share, then Add to Home Screen.');
    await expectAccessible(page);
    await press(page, 'No, Thanks');
    await expect(page.getByText(HINT)).toHaveCount(0);
    await startAnew(device);
    await press(page, 'Settings');
    await expect(page.getByText('Put it on the home screen')).toBeVisible();
    await press(page, 'Back');
    await device.token();
    await expect(page.getByText(HINT)).toHaveCount(0);
  });

  test('the installed app offers nothing', async ({ page, server }) => {
    await page.addInitScript(() => Object.defineProperty(navigator, 'standalone', { value: true }));
    await new Device(server, page).setUpAlone(new Site('Mail'));
    await press(page, 'Settings');
    await press(page, 'Back');
    await expect(page.getByText(HINT)).toHaveCount(0);
  });
});
