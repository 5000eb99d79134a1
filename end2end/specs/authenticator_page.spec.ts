import { expectAccessible } from '../support/axe.ts';
import { expect, test } from '../support/test.ts';

test('the page of the authenticator says what it needs where scripts do not run', async ({ page, visit, withScripts }) => {
  await visit('/authenticator');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Authenticator');
  const explanation = page.getByRole('paragraph').filter({ hasText: 'needs JavaScript for that' });
  await expect(explanation).toHaveCount(withScripts ? 0 : 1);
  await expect(page.getByRole('button', { name: 'Add Account' })).toHaveCount(withScripts ? 1 : 0);
  if (withScripts) {
    // Axe hangs on elements inside of <noscript>.
    await expectAccessible(page);
  }
});
