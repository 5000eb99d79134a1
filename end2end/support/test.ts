import {
  test as base,
  devices,
  expect,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
  type Response,
} from '@playwright/test';

import { someAddress } from './people.ts';
import { withDatabase } from './postgres.ts';
import { Server } from './server.ts';

export { expect };

const { defaultBrowserType: _, ...pixel } = devices['Pixel 5'];

/** A phone, as narrow as pages have to fit (WCAG 1.4.10). */
export const PHONE: BrowserContextOptions = { ...pixel, viewport: { width: 320, height: 640 } };

interface ForWorkers {
  /** The server that only this worker talks to. */
  server: Server;
}

interface ForTests {
  /** The network address that the server sees. */
  address: string;
  /** Whether pages run scripts. */
  withScripts: boolean;
  /** Opens a page, and waits until it is alive where scripts run. */
  visit: (path: string, page?: Page) => Promise<Response | null>;
  /** Another browser, of somebody else or of the same person elsewhere; `options` in place of the project's. */
  anotherBrowser: (options?: BrowserContextOptions) => Promise<Page>;
  /** Errors that are part of the test: messages in the console that match are let through. */
  expected: RegExp[];
  /** Fails the test on errors in the console, in scripts, and against the content security policy. */
  watch: void;
}

export const test = base.extend<ForTests, ForWorkers>({
  server: [
    // Playwright reads the fixtures that are needed from the names in this pattern.
    async ({}, use, worker) => {
      const run = async (databaseUrl?: string) => {
        const server = await Server.start(databaseUrl ? { databaseUrl } : {});
        await use(server);
        await server.stop();
      };
      if (worker.project.name === 'postgres') {
        await withDatabase(`twofold_browser_${process.pid}`, run);
      } else {
        await run();
      }
    },
    { scope: 'worker' },
  ],

  baseURL: async ({ server }, use) => use(server.url),

  address: async ({}, use) => use(someAddress()),

  extraHTTPHeaders: async ({ address }, use) => use({ 'X-Forwarded-For': address }),

  withScripts: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled !== false),

  visit: async ({ page, withScripts }, use) => {
    await use(async (path, where = page) => {
      const response = await where.goto(path);
      if (withScripts) {
        await hydrated(where);
      }
      return response;
    });
  },

  expected: async ({}, use) => use([]),

  watch: [
    async ({ context, expected, server }, use, info) => {
      const errors = watchFor(context, expected);
      const logged = server.log.length;
      await use();
      if (info.status !== info.expectedStatus) {
        await info.attach('server.log', { body: server.log.slice(logged).join('\n'), contentType: 'text/plain' });
      }
      expect(errors, 'errors in the browser').toEqual([]);
    },
    { auto: true },
  ],

  anotherBrowser: async ({ browser, contextOptions, baseURL, javaScriptEnabled, userAgent, viewport, expected }, use) => {
    const contexts: BrowserContext[] = [];
    const errors: string[][] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({
        ...contextOptions,
        ...(baseURL === undefined ? {} : { baseURL }),
        ...(javaScriptEnabled === undefined ? {} : { javaScriptEnabled }),
        ...(userAgent === undefined ? {} : { userAgent }),
        ...(viewport === undefined ? {} : { viewport }),
        extraHTTPHeaders: { 'X-Forwarded-For': someAddress() },
        ...options,
      });
      contexts.push(context);
      errors.push(watchFor(context, expected));
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
    expect(errors.flat(), 'errors in the other browsers').toEqual([]);
  },
});

/** Waits until WASM has taken the page over. */
export async function hydrated(page: Page) {
  await expect(page.locator('html')).toHaveAttribute('data-hydrated');
}

/** Collects what goes wrong in any page of a context. */
export function watchFor(context: BrowserContext, expected: readonly RegExp[]): string[] {
  const errors: string[] = [];
  context.on('weberror', (error) => errors.push(`script: ${error.error()}`));
  context.on('console', (message) => {
    const text = message.text();
    const isPolicy = /Refused to|Content Security Policy/.test(text);
    if ((message.type() !== 'error' && !isPolicy) || expected.some((pattern) => pattern.test(text))) {
      return;
    }
    // The answer to a form that was refused; the browser notes every such status as an error.
    const { url } = message.location();
    if (/the server responded with a status of 4\d\d/.test(text) && new URL(url || 'about:blank').pathname.startsWith('/api/')) {
      return;
    }
    errors.push(`console: ${text} (${url})`);
  });
  return errors;
}
