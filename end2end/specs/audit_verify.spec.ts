import { expect, test } from '../support/test.ts';

test('the page that verifies audit exports says what it needs where scripts do not run', async ({ page, withScripts }) => {
  await page.goto('/practice/audit/verify');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Verify an audit export');
  const command = page.getByText('twofold audit verify --file EXPORT', { exact: true });
  await expect(command).toHaveCount(withScripts ? 0 : 1);
  await expect(page.getByLabel('Audit export')).toBeEnabled({ enabled: withScripts });
});
