import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { Client } from '../support/client.ts';
import { BACKUP_PASSWORD, Device, PIN } from '../support/device.ts';
import { somebody } from '../support/people.ts';
import { freshFolder, Server } from '../support/server.ts';
import { Site } from '../support/site.ts';
import { expect, hydrated, test } from '../support/test.ts';

/** Everything that the browser keeps of this site, as bytes in a row. */
async function keptByBrowser(page: Page): Promise<Buffer> {
  const parts = await page.evaluate(async () => {
    const latin = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    const found: string[] = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name ?? '');
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of database.objectStoreNames) {
        const values = await new Promise<unknown[]>((resolve, reject) => {
          const request = database.transaction(store).objectStore(store).getAll();
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
        found.push(...values.map((value) => (value instanceof Uint8Array ? latin(value) : JSON.stringify(value))));
      }
      database.close();
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const answer = await cache.match(request);
        found.push(request.url, latin(new Uint8Array((await answer?.arrayBuffer()) ?? new ArrayBuffer(0))));
      }
    }
    return found;
  });
  return Buffer.from(parts.join('\n'), 'latin1');
}

/** Everything that the server keeps. */
async function keptByServer(folder: string): Promise<Buffer> {
  const files = (await readdir(folder, { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile());
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))));
}

/** What the server gives to a new device. */
interface Given {
  device_key: string;
  accounts: { key: string }[];
}

/** A key in all the ways in which somebody might write it down. */
function forms(what: string, { key, bytes }: Site): Record<string, Buffer> {
  return {
    [what]: bytes,
    [`${what} in base32`]: Buffer.from(key),
    [`${what} in base64`]: Buffer.from(bytes.toString('base64').replaceAll('=', '')),
    [`${what} in base64url`]: Buffer.from(bytes.toString('base64url')),
    [`${what} in hex`]: Buffer.from(bytes.toString('hex')),
  };
}

test('no secret, token or password lies in clear, in the browser or on the server', async ({ browser }) => {
  const dataDir = await freshFolder();
  const server = await Server.start({ dataDir });
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  const [person, client, site] = [somebody(), new Client(server), new Site('Mail')];
  await client.signUp(person);
  await client.enable(person);
  const device = new Device(server, page);
  const registered = page.waitForResponse('**/api/verify_registration');
  await device.setUp(person, 'with a backup');
  const given = JSON.parse(await (await registered).text()) as Given | string;
  const { device_key: deviceKey, accounts } = typeof given === 'string' ? (JSON.parse(given) as Given) : given;
  const token = await device.token();
  await device.addSite(site);
  await device.expectBackedUp();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await hydrated(page);

  const secrets = {
    'the PIN': Buffer.from(PIN),
    'the backup password': Buffer.from(BACKUP_PASSWORD),
    'the token': Buffer.from(token),
    ...forms('the key of another site', site),
    ...forms('the key of the practice account', new Site('', {}, accounts[0]?.key)),
    'the key of the device': Buffer.from(deviceKey),
    'the key of the device in bytes': Buffer.from(deviceKey, 'base64url'),
  };
  expect(accounts).toHaveLength(1);
  const cookies = Buffer.from(JSON.stringify(await context.cookies()));
  const places = { 'the browser': Buffer.concat([await keptByBrowser(page), cookies]), 'the server': await keptByServer(dataDir) };
  // The search finds what is there: the name of the database's table, and of the page's file.
  expect(places['the server'].includes('token_account')).toBe(true);
  expect(places['the browser'].includes('/authenticator')).toBe(true);
  for (const [place, bytes] of Object.entries(places)) {
    const found = Object.entries(secrets).filter(([, secret]) => bytes.includes(secret)).map(([name]) => name);
    expect(found, place).toEqual([]);
  }
  await context.close();
  await server.stop();
  await rm(dataDir, { recursive: true });
});
