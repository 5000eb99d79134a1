import { withSms } from '../support/client.ts';
import { Device } from '../support/device.ts';
import { expectStatus, press } from '../support/pages.ts';
import { Site } from '../support/site.ts';
import { expect, test } from '../support/test.ts';

// A credential belongs to a name; an address will not do.
test.use({ baseURL: async ({ server }, use) => use(server.url.replace('127.0.0.1', 'localhost')) });

const PHONE_LOCK = {
  protocol: 'ctap2',
  ctap2Version: 'ctap2_1',
  transport: 'internal',
  hasUserVerification: true,
  isUserVerified: true,
  hasPrf: true,
} as const;

test("the phone's own lock opens the authenticator beside the PIN", async ({ page, context, server }) => {
  const debug = await context.newCDPSession(page);
  await debug.send('WebAuthn.enable');
  const { authenticatorId } = await debug.send('WebAuthn.addVirtualAuthenticator', { options: PHONE_LOCK });
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  const heading = page.getByRole('heading', { level: 1 });
  const title = await heading.innerText();
  await press(page, 'Settings');
  await press(page, "Use this phone's lock");
  await device.proveByPin();
  await expectStatus(page, "This phone's lock opens it now, beside the PIN.");
  await press(page, 'Lock now');

  await press(page, "Unlock with this phone's lock");
  await expect(heading).toHaveText(title);

  // Another finger.
  await device.lock();
  await debug.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await press(page, "Unlock with this phone's lock");
  await expect(page.getByRole('alert')).toContainText("The phone's own lock did not open the authenticator.");
  await device.unlock();
  await press(page, 'Settings');
  await press(page, "Stop using this phone's lock");
  await press(page, 'Lock now');
  await expect(page.getByLabel('PIN')).toBeVisible();
  await expect(page.getByRole('button', { name: "Unlock with this phone's lock" })).toHaveCount(0);
});

test("the phone's own lock stands in for the PIN where the PIN is closed, and for a new backup password", async ({ page, context, server }) => {
  test.slow();
  const debug = await context.newCDPSession(page);
  await debug.send('WebAuthn.enable');
  await debug.send('WebAuthn.addVirtualAuthenticator', { options: PHONE_LOCK });
  const device = new Device(server, page);
  const { person } = await withSms(server);
  await device.setUp(person, 'with a backup');
  await press(page, 'Settings');
  await press(page, "Use this phone's lock");
  await device.proveByPin();
  await expectStatus(page, "This phone's lock opens it now, beside the PIN.");
  await press(page, 'Lock now');
  for (let left = 9; left >= 0; left -= 1) {
    await device.unlock('000000');
    await device.expectRefusal(left > 0 ? `You have ${left} tr` : 'Too many wrong PINs');
  }
  await device.expectScreen('Without the PIN');
  await press(page, "Unlock with this phone's lock");
  await device.expectScreen(person.practice);
  await press(page, 'Settings');
  await press(page, 'I forgot the backup password');
  await press(page, "Continue with this phone's lock");
  await device.expectScreen('New backup password');
});

test('a lock that gives no key is not offered where the browser says so, and cannot be set up where it does not', async ({ page, context, server }) => {
  const debug = await context.newCDPSession(page);
  await debug.send('WebAuthn.enable');
  await debug.send('WebAuthn.addVirtualAuthenticator', { options: { ...PHONE_LOCK, hasPrf: false } });
  const device = new Device(server, page);
  await device.setUpAlone(new Site('Mail'));
  await press(page, 'Settings');
  await press(page, "Use this phone's lock");
  await device.proveByPin();
  await device.expectRefusal("This phone's lock could not be set up");
  await expect(page.getByRole('button', { name: "Use this phone's lock" })).toBeVisible();

  const says = async (extensions: Record<string, boolean>) => {
    await page.evaluate((said) => {
      Object.assign(PublicKeyCredential, { getClientCapabilities: async () => Promise.resolve(said) });
    }, extensions);
    await press(page, 'Back');
    await press(page, 'Settings');
    await device.expectScreen('Settings');
  };
  await says({ 'conditionalGet': true, 'extension:prf': false });
  await expect(page.getByRole('button', { name: "Use this phone's lock" })).toHaveCount(0);
  await says({ conditionalGet: true });
  await expect(page.getByRole('button', { name: "Use this phone's lock" })).toBeVisible();
  await says({ 'extension:credProps': true });
  await expect(page.getByRole('button', { name: "Use this phone's lock" })).toHaveCount(0);
});
