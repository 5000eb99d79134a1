import { withPassword } from '../support/client.ts';
import { arriveAt, fill } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

const WARNING = 'You will be logged out in a minute';

test('the end for want of activity is said before, and one press keeps the session and what is typed', async ({
  page,
  context,
  server,
  visit,
}) => {
  await page.clock.install();
  const { client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  await fill(page, { 'Specialty': 'Cardiology' });
  await page.clock.fastForward('13:00');
  await expect(page.getByText(WARNING)).toHaveCount(0);
  await page.clock.fastForward('00:31');
  await expect(page.getByRole('alert').filter({ hasText: WARNING })).toBeVisible();
  const stayed = page.waitForResponse((response) => response.url().endsWith('/api/stay'));
  await page.getByRole('button', { name: 'Stay logged in' }).click();
  expect((await stayed).status()).toBe(200);
  await expect(page.getByText(WARNING)).toHaveCount(0);
  await expect(page.getByLabel('Specialty')).toHaveValue('Cardiology');
  await page.clock.fastForward('13:31');
  await expect(page.getByText(WARNING)).toBeVisible();
});

test('whoever is out already is led to the log-in by the button', async ({ page, context, server, visit, expected }) => {
  expected.push(/status of 401/);
  await page.clock.install();
  const { client } = await withPassword(server);
  await client.handOver(context);
  await visit('/account/profile');
  await page.clock.fastForward('13:31');
  await client.post('/api/log_out');
  await page.getByRole('button', { name: 'Stay logged in' }).click();
  await arriveAt(page, '/login');
});
