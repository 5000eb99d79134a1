import { withSms } from '../support/client.ts';
import { Device } from '../support/device.ts';
import { expectStatus, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

// A credential belongs to a name; an address will not do.
test.use({ baseURL: async ({ server }, use) => use(server.url.replace('127.0.0.1', 'localhost')) });

test("the phone's own lock opens the authenticator beside the PIN", async ({ page, context, server }) => {
  const debug = await context.newCDPSession(page);
  await debug.send('WebAuthn.enable');
  const { authenticatorId } = await debug.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasUserVerification: true,
      isUserVerified: true,
      hasPrf: true,
    },
  });
  const device = new Device(server, page);
  await device.setUp((await withSms(server)).person);
  const heading = page.getByRole('heading', { level: 1 });
  const title = await heading.innerText();
  await press(page, 'Settings');
  await press(page, "Use this phone's lock");
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
