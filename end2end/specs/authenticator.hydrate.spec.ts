import { withSms, Client } from '../support/client.ts';
import { Device } from '../support/device.ts';
import { press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

test('from nothing to a sign-in with seven digits', async ({ page, server }) => {
  const { person } = await withSms(server);
  const device = new Device(server, page);
  await device.open();
  await press(page, 'Add Account');
  await device.register(person);
  await device.setPin();
  await device.turnOnBackup();

  const token = await device.token();
  expect(token).toMatch(/^\d{7}$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(person.practice);
  await expect(page.getByText('Your token expires in')).toBeVisible();

  const client = new Client(server);
  expect((await client.logIn(person)).leadsTo).toBe('/login/token');
  expect((await client.post('/api/check_token', { token: await device.freshToken() })).leadsTo).toBe('/account/security');
});
