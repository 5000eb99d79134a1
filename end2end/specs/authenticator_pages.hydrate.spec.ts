import { Device } from '../support/device.ts';
import { fill, press } from '../support/pages.ts';
import { Site } from '../support/site.ts';
import { SlowDisk } from '../support/storage.ts';
import { expect, hydrated, test } from '../support/test.ts';

/** The accounts of the vault, as a page shows them that has just read it. */
async function kept(device: Device): Promise<string[]> {
  await device.page.reload();
  await hydrated(device.page);
  await device.unlock();
  await device.token();
  const names = await device.page.getByRole('navigation', { name: 'Accounts' }).getByRole('button').allInnerTexts();
  return names.map((name) => name.split('\n').at(-1) ?? '');
}

const ALL = ['Mail', 'Bank', 'Shop', 'Add Account'];

for (const locks of ['with', 'without']) {
  test(`two pages of one browser lose no account of each other, ${locks} locks`, async ({ page, context, server }) => {
    if (locks === 'without') {
      await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }));
    }
    const [first, second] = [new Device(server, page), new Device(server, await context.newPage())];
    await first.setUpAlone(new Site('Mail'));
    await second.open();
    await second.unlock();
    await second.token();
    await first.addSite(new Site('Bank'));
    await second.addSite(new Site('Shop'));
    await second.choose('Bank');

    await first.look();
    await first.choose('Shop');
    expect(await kept(first)).toEqual(ALL);
  });
}

test('a page waits until another one has written', async ({ page, context, server }) => {
  const [first, second] = [new Device(server, page), new Device(server, await context.newPage())];
  await first.setUpAlone(new Site('Mail'));
  await first.addSite(new Site('Bank'));
  await second.open();
  // Between the count of a try and what comes of it.
  const disk = await SlowDisk.of(second.page);
  await second.unlock();
  await disk.holds(1);
  const added = first.addSite(new Site('Shop'));
  await page.waitForFunction(async () => ((await navigator.locks.query()).pending ?? []).length > 0);
  await disk.release();
  await added;
  await second.token();
  expect(await kept(second)).toEqual(ALL);
});

test('a change in one page gives no try of a PIN back that another one has counted', async ({ page, context, server }) => {
  const [first, second] = [new Device(server, page), new Device(server, await context.newPage())];
  await first.setUpAlone(new Site('Mail'));
  await second.open();
  await second.unlock('000000');
  await second.expectRefusal('You have 9 tries left.');
  await first.addSite(new Site('Bank'));
  await second.unlock('000000');
  await second.expectRefusal('You have 8 tries left.');
});

test('what was erased in one page is not written back by another', async ({ page, context, server }) => {
  const [first, second] = [new Device(server, page), new Device(server, await context.newPage())];
  await first.setUpAlone(new Site('Mail'));
  // In the background, where a page does not look by itself at what others have written.
  await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true }));
  await second.open();
  await press(second.page, 'Forgot the PIN?');
  await press(second.page, 'Erase this device');
  await press(second.page, 'Erase and begin anew');
  await second.expectScreen('Authenticator');

  await press(page, 'Add Account');
  await press(page, 'Type a key');
  await fill(page, { 'Account name': 'Bank', 'Setup key': new Site('Bank').typed });
  await press(page, 'Add');
  await first.expectScreen('Authenticator');
  await first.expectRefusal('Everything in this browser was erased in another window.');
  await first.open();
  await first.expectScreen('Authenticator');
});

test('a second page makes no vault in the place of the first one', async ({ page, context, server }) => {
  const [first, second] = [new Device(server, page), new Device(server, await context.newPage())];
  await second.open();
  await press(second.page, 'Add Account');
  await press(second.page, 'Add another kind of account');
  await first.setUpAlone(new Site('Mail'));
  await second.setPin('736-251');
  await second.expectScreen('Unlock');
  await second.expectRefusal('This browser has an authenticator already');
  await second.unlock();
  await second.expectScreen('Mail');
});
