import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

import type { Page } from '@playwright/test';

import { expectAccessible } from '../support/axe.ts';
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

/** The practice account, once the server has given its secret to the page's device. */
async function practiceAccount(page: Page): Promise<Site> {
  const answer = await page.waitForResponse('**/api/verify_registration', { timeout: 0 });
  const { accounts } = JSON.parse((await answer.json()) as string) as { accounts: { practice: string; key: string }[] };
  const [{ practice, key } = { practice: '', key: '' }] = accounts;
  return new Site(practice, { digits: 7, algorithm: 'sha256' }, key);
}

/** Loads the page anew with nothing but what the service worker keeps, and opens the vault. */
async function start(page: Page, device: Device) {
  // A browser may clean its own cache at any time, and does so when somebody logs out of the practice app.
  await (await page.context().newCDPSession(page)).send('Network.clearBrowserCache');
  await page.reload();
  await hydrated(page);
  await device.unlock();
  await device.token();
}

async function startOffline(page: Page, device: Device) {
  await page.context().setOffline(true);
  await start(page, device);
}

// What Chromium says of each request that the cut network does not take.
test.use({ expected: [/ERR_INTERNET_DISCONNECTED/] });

test('without network the page loads anew and its tokens are right', async ({ page, server }) => {
  test.slow();
  const device = new Device(server, page);
  const sites = [new Site('Mail'), new Site('Bank', { digits: 8, algorithm: 'sha512' })];
  const practice = practiceAccount(page);
  await device.setUp((await withSms(server)).person);
  for (const site of sites) {
    await device.addSite(site);
  }
  sites.push(await practice);
  await kept(page);
  await startOffline(page, device);

  await expect(page.getByText('Offline: tokens still work')).toBeVisible();
  await expectAccessible(page);
  for (const site of sites) {
    await device.choose(site.name);
    await device.expectTokenOf(site);
  }
});

/** Passes everything on and writes down what is asked for, with a service worker of another version once `isUpdated` says so. */
async function proxy(origin: string, isUpdated: () => boolean = () => false) {
  const asked: string[] = [];
  const proxied = createServer((request, response) => {
    asked.push(request.url ?? '');
    void (async () => {
      const posted = { headers: { origin, 'content-type': request.headers['content-type'] ?? '' }, body: await buffer(request) };
      const isPost = request.method === 'POST';
      const answer = await fetch(origin + (request.url ?? ''), isPost ? { method: 'POST', ...posted } : {});
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
  return { asked, url: `http://127.0.0.1:${(proxied.address() as AddressInfo).port}`, end: () => proxied.close() };
}

test('a new version waits until it is asked for, and works without network too', async ({ browser, server }) => {
  test.slow();
  let isUpdated = false;
  const proxied = await proxy(server.url, () => isUpdated);
  const context = await browser.newContext({ baseURL: proxied.url });
  const page = await context.newPage();
  const device = new Device(server, page);
  const practice = practiceAccount(page);
  await device.setUp((await withSms(server)).person);
  await kept(page);
  isUpdated = true;
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await expect(page.getByText('Update available.')).toBeVisible();
  await expectAccessible(page);
  await device.token();

  const loaded = page.waitForEvent('load');
  await press(page, 'Reload');
  await loaded;
  await hydrated(page);
  await expect.poll(() => page.evaluate(() => caches.keys())).toEqual(['twofold-authenticator-another']);
  await device.unlock(PIN);
  await startOffline(page, device);
  await device.expectTokenOf(await practice);
  await context.close();
  proxied.end();
});

test('once it is there, a start transfers nothing but what the server has to say', async ({ browser, server }) => {
  const proxied = await proxy(server.url);
  const context = await browser.newContext({ baseURL: proxied.url });
  const page = await context.newPage();
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  await kept(page);
  proxied.asked.length = 0;
  await start(page, device);
  await expect(page.getByText('Not backed up')).toBeVisible();

  // Whether there is a newer version of it is asked past its own cache.
  const others = new Set(proxied.asked.filter((path) => path !== '/authenticator/service_worker.js'));
  expect([...others]).toEqual(['/api/sync_device']);
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
  expect(paths.filter((path) => !/^\/(favicon\.svg|authenticator(\/.*)?|pkg\/authenticator[.-].*)$/.test(path))).toEqual([]);
});
