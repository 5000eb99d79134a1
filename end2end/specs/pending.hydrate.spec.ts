import { expectAccessible } from '../support/axe.ts';
import { withApp } from '../support/client.ts';
import { arriveAt, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

// Without scripts the browser itself shows that it waits.
test('a token on its way holds the button, and the page stays accessible', async ({ page, server, visit }) => {
  const { person, app } = await withApp(server);
  await visit('/login');
  await fill(page, { 'Username or email': person.username, 'Password': person.password });
  await press(page, 'Log In');
  await arriveAt(page, '/login/token');

  let letThrough = () => {};
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  await page.route('**/api/check_token', async (route) => {
    await held;
    await route.continue();
  });
  await fill(page, { 'Authorization token': await app.freshToken() });
  const button = page.getByRole('button', { name: 'Log In', exact: true });
  await button.click();
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  await expectAccessible(page);
  letThrough();
  await arriveAt(page, '/account/security');
});
