import { withPassword } from '../support/client.ts';
import { arriveAt, press } from '../support/pages.ts';
import { expect, hydrated, test } from '../support/test.ts';

test('the guide is one click away from every page, signed in or not', async ({ page, context, server, visit, withScripts }) => {
  for (const path of ['/login', '/signup']) {
    await visit(path);
    await press(page, 'Help');
    await arriveAt(page, '/help/two-factor');
    if (withScripts) {
      await hydrated(page);
    }
  }
  const { client } = await withPassword(server);
  await client.handOver(context);
  for (const path of ['/account/profile', '/account/security', '/account/password', '/account/step-up']) {
    await visit(path);
    await press(page, 'Help');
    await arriveAt(page, '/help/two-factor');
    if (withScripts) {
      await hydrated(page);
    }
    await expect(page.getByRole('button', { name: 'Log Out' })).toBeVisible();
  }
});

test('it is a guide: each step has a picture with words for it, and its links lead somewhere', async ({ page, visit }) => {
  await visit('/help/two-factor');
  const steps = page.locator('.guide-steps > li');
  expect(await steps.count()).toBeGreaterThanOrEqual(8);
  for (const step of await steps.all()) {
    await expect(step.getByRole('heading', { level: 3 })).toHaveCount(1);
    await expect(step.getByRole('img')).toHaveAccessibleName(/\w+ \w+/);
  }
  const targets = await page.getByRole('navigation', { name: 'On this page' }).getByRole('link').all();
  expect(targets.length).toBeGreaterThan(3);
  for (const link of targets) {
    const id = (await link.getAttribute('href'))?.slice(1);
    await expect(page.locator(`h2[id="${id}"]`)).toBeVisible();
  }
});

test('the guide stays whole while the page comes alive', async ({ page, visit }) => {
  await visit('/help/two-factor');
  await expect(page.getByRole('heading', { name: 'Turn it on' })).toBeVisible();
  await page.getByRole('link', { name: 'log-in page' }).click();
  await arriveAt(page, '/login');
  await page.goBack();
  await arriveAt(page, '/help/two-factor');
  await expect(page.getByRole('heading', { name: 'Turn it on' })).toBeVisible();
});
