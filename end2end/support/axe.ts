import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import type { Page } from '@playwright/test';
import type axe from 'axe-core';

import { expect } from './test.ts';

declare global {
  interface Window {
    axe?: typeof axe;
  }
}

const source = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The rules of WCAG 2.2 A and AA, and what axe holds for good practice. */
const OPTIONS: axe.RunOptions = {
  resultTypes: ['violations'],
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  // Off by default in axe, and a requirement here (WCAG 2.5.8).
  rules: { 'target-size': { enabled: true } },
};

/** Axe finds nothing on the page as it is now, in light and dark, and it fits a window of 320 pixels. */
export async function expectAccessible(page: Page) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), `axe, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null });
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(excess, 'pixels beyond a width of 320').toBe(0);
  // What the narrow layout hides must not take a name away.
  expect(await violations(page), 'axe, narrow').toEqual([]);
  if (size) {
    await page.setViewportSize(size);
  }
}

async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => Boolean(window.axe)))) {
    // Through the debugger, since the content security policy lets no script of ours in.
    await page.evaluate(await source);
  }
  return page.evaluate(async (options) => {
    // Colours on their way from one theme to the other are none of either. One that is replaced on its way rejects, as
    // the countdown's bar does every second.
    await Promise.allSettled(document.getAnimations().filter((it) => it instanceof CSSTransition).map((it) => it.finished));
    const found = await window.axe?.run(document, options);
    return (found?.violations ?? []).flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary}`),
    );
  }, OPTIONS);
}
