import type { Page } from '@playwright/test';

import { expectAccessible } from '../support/axe.ts';
import { expect, test } from '../support/test.ts';

const PAGE = '/practice/audit/verify';

/** Chooses a file with that content. */
async function choose(page: Page, content: string) {
  const input = page.getByLabel('Audit export');
  await expect(input).toBeEnabled();
  await input.setInputFiles({ name: 'export.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from(content) });
}

/** Signs in at the sample practice with wrong passwords, and exports the trail that it leaves. */
async function trail(page: Page, visit: (path: string) => Promise<unknown>, command: (...words: string[]) => Promise<string>) {
  await visit('/login');
  for (const password of ['wrong one', 'wrong two', 'wrong three']) {
    await page.getByLabel('Username or email').fill('nina');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Log In' }).click();
    await expect(page.getByRole('alert')).toBeVisible();
  }
  const text = await command('audit', 'export', '--practice', 'Sample Practice');
  const lines = text.trimEnd().split('\n');
  expect(lines.length).toBeGreaterThan(4);
  return lines;
}

test('an export is verified in the browser, without the network, and the row that was altered, removed or moved is named', async ({
  context,
  page,
  server,
  visit,
}) => {
  const lines = await trail(page, visit, (...words) => server.command(...words));
  const rows = lines.length - 2;
  const verdict = page.getByRole('status');
  await page.goto(PAGE);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Verify an audit export');
  await expect(page.getByLabel('Audit export')).toBeEnabled();
  await expectAccessible(page);

  await context.setOffline(true);
  await choose(page, `${lines.join('\n')}\n`);
  await expect(verdict).toHaveText(`export.jsonl: ${rows} rows, unbroken.`);
  await expectAccessible(page);

  const row = JSON.parse(lines[2] ?? '') as { row: { columns: { id: string; address: string } } };
  const altered = { row: { ...row.row, columns: { ...row.row.columns, address: '198.51.100.1' } } };
  await choose(page, [...lines.slice(0, 2), JSON.stringify(altered), ...lines.slice(3)].join('\n'));
  await expect(verdict).toHaveText(`export.jsonl: Row 2 (${row.row.columns.id}) was altered.`);

  await choose(page, lines.filter((_, index) => index !== 2).join('\n'));
  await expect(verdict).toHaveText('export.jsonl: Row 2 is missing.');

  await choose(page, [...lines.slice(0, 2), lines[3], lines[2], ...lines.slice(4)].join('\n'));
  await expect(verdict).toHaveText(`export.jsonl: Row 2 (${row.row.columns.id}) is not where it belongs.`);

  await choose(page, lines.slice(0, -1).join('\n'));
  await expect(verdict).toHaveText(`export.jsonl: Row ${rows + 1} or what comes after it is missing: the file has no end.`);

  await choose(page, 'name,value\n');
  await expect(verdict).toHaveText(
    'export.jsonl: The file is not an audit export: its first line does not begin a chain.',
  );
});
