import type { Browser } from '@playwright/test';
import { PNG } from 'pngjs';

import { expectAccessible } from '../support/axe.ts';
import { browserThatSees } from '../support/camera.ts';
import { withSms } from '../support/client.ts';
import { Device } from '../support/device.ts';
import { press } from '../support/pages.ts';
import type { Server } from '../support/server.ts';
import { Site } from '../support/site.ts';
import { expect, PHONE, test, watchFor } from '../support/test.ts';

/** A device in that browser, up to the camera. */
async function untilScan(phone: Browser, server: Server, expected: RegExp[]) {
  const onPhone = await phone.newContext({ ...PHONE, baseURL: server.url });
  const errors = watchFor(onPhone, expected);
  const device = new Device(server, await onPhone.newPage());
  await device.setUpAlone(new Site('Mail'));
  await press(device.page, 'Add Account');
  await press(device.page, 'Scan a QR code');
  return { device, errors };
}

test('the camera reads the code off a screen, and its tokens are right', async ({
  page,
  context,
  server,
  visit,
  playwright,
  launchOptions,
  expected,
}, info) => {
  test.slow();
  const { person, client } = await withSms(server);
  const app = await client.startApp();
  await client.handOver(context);
  await visit('/account/security/authenticator');
  const picture = await page.getByRole('img', { name: 'QR code for the setup key' }).screenshot();

  const phone = await browserThatSees(picture, info.outputPath('code.y4m'), playwright, launchOptions);
  const { device, errors } = await untilScan(phone, server, expected);
  await expect(device.page.locator('video')).toBeHidden();
  await press(device.page, 'Use the camera');
  await device.expectScreen(`Twofold ${person.practice}`);
  await expect(device.page.locator('video'), 'the camera is off again').toHaveCount(0);

  const site = new Site('', {}, app.key);
  await device.expectTokenOf(site, () => Math.floor(Date.now() / 1000));
  expect(errors, 'errors on the phone').toEqual([]);
  await phone.close();
});

test('the screen is accessible while the camera runs', async ({ server, playwright, launchOptions, expected }, info) => {
  test.slow();
  const paper = new PNG({ width: 100, height: 100 });
  paper.data.fill(255);
  const phone = await browserThatSees(PNG.sync.write(paper), info.outputPath('paper.y4m'), playwright, launchOptions);
  const { device, errors } = await untilScan(phone, server, expected);
  await press(device.page, 'Use the camera');
  const video = device.page.locator('video');
  await expect.poll(() => video.evaluate((it) => (it as HTMLVideoElement).videoWidth), 'it sees something').toBeGreaterThan(0);
  await expectAccessible(device.page);
  await expect(video, 'it still runs').not.toHaveClass(/unseen/);
  expect(errors, 'errors on the phone').toEqual([]);
  await phone.close();
});
