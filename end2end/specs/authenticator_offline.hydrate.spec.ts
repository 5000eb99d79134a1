import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { BrowserContext, Page } from '@playwright/test';

import { withSms } from '../support/client.ts';
import { Device, PIN } from '../support/device.ts';
import { press } from '../support/pages.ts';
import { Site } from '../support/site.ts';
import { expect, hydrated, test } from '../support/test.ts';

/** Waits until the service worker has everything, and serves this page. */
async function kept(page: Page) {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
    }
  });
}

/** Loads the page anew without a network, and opens the vault. */
async function reloadOffline(page: Page, context: BrowserContext, device: Device) {
  await context.setOffline(true);
  await page.reload();
  await hydrated(page);
  await device.unlock();
}

// What Chromium says of each request that the cut network does not take.
test.use({ expected: [/ERR_INTERNET_DISCONNECTED/] });

test('without network the page loads anew and its tokens are right', async ({ page, context, server }) => {
  const device = new Device(server, page);
  const sites = [new Site('Mail'), new Site('Bank', { digits: 8, algorithm: 'sha512' })];
  await device.setUp((await withSms(server)).person);
  for (const site of sites) {
    await device.addSite(site);
  }
  await kept(page);
  await reloadOffline(page, context, device);

  await expect(page.getByText('Offline: tokens still work')).toBeVisible();
  for (const site of sites) {
    await device.choose(site.name);
    await device.expectTokenOf(site);
  }
});

/** Passes on what the server has to read, with a service worker of another version once `isUpdated` says so. */
async function proxy(origin: string, isUpdated: () => boolean) {
  const proxied = createServer((request, response) => {
    void (async () => {
      const answer = await fetch(origin + (request.url ?? ''), { method: request.method ?? 'GET' });
      let body = Buffer.from(await answer.arrayBuffer());
      if (request.url === '/authenticator/service_worker.js' && isUpdated()) {
        body = Buffer.from(body.toString().replace(/const VERSION = "\w+"/, 'const VERSION = "another"'));
      }
      const headers = [...answer.headers].filter(([name]) => !/^(content-(encoding|length)|connection|transfer-encoding)$/.test(name));
      response.writeHead(answer.status, Object.fromEntries(headers)).end(body);
    })();
  });
  proxied.listen(0, '127.0.0.1');
  await once(proxied, 'listening');
  return { url: `http://127.0.0.1:${(proxied.address() as AddressInfo).port}`, end: () => proxied.close() };
}

test('a new version waits until it is asked for, and works without network too', async ({ browser, server }) => {
  let isUpdated = false;
  const proxied = await proxy(server.url, () => isUpdated);
  const context = await browser.newContext({ baseURL: proxied.url });
  const page = await context.newPage();
  const device = new Device(server, page);
  const site = new Site('Mail');
  await device.setUpAlone(site);
  await kept(page);
  isUpdated = true;
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await expect(page.getByText('Update available.')).toBeVisible();
  await device.token();

  const loaded = page.waitForEvent('load');
  await press(page, 'Reload');
  await loaded;
  await hydrated(page);
  await expect.poll(() => page.evaluate(() => caches.keys())).toEqual(['twofold-authenticator-another']);
  await device.unlock(PIN);
  await reloadOffline(page, context, device);
  await device.expectTokenOf(site, () => Math.floor(Date.now() / 1000));
  await context.close();
  proxied.end();
});

test('the service worker keeps the authenticator and nothing else', async ({ page, server, visit }) => {
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  await kept(page);
  await visit('/login');
  const paths = await page.evaluate(async () => {
    const caches_ = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
    return caches_.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(paths).toContain('/authenticator');
  expect(paths.filter((path) => !/^\/(authenticator(\/.*)?|pkg\/authenticator[.-].*)$/.test(path))).toEqual([]);
});
