import { defineConfig, devices } from '@playwright/test';

/** Specs for pages that WASM has taken over. */
const HYDRATED = '**/*.hydrate.spec.ts';
/** Specs that send requests of their own and need no browser. */
const WITHOUT_BROWSER = ['page_source', 'crash', 'memory'].map((name) => `**/${name}.spec.ts`);
/** Pictures for the documents, made when TWOFOLD_SCREENSHOTS names a folder. */
const PICTURES = '**/screenshots.spec.ts';
/** What PostgreSQL has to prove in a browser too; the rest of it is in the contract suite. */
const ON_POSTGRES = ['main_job', 'authenticator_app', 'recovery', 'staff'].map((name) => `**/${name}.spec.ts`);

/** What a phone has to prove: the main job by touch, and that every page fits. */
const ON_MOBILE = [
  ...['main_job', 'authenticator_app', 'recovery', 'sign_in', 'help', 'accessibility'].map((name) => `**/${name}.spec.ts`),
  '**/token_field.hydrate.spec.ts',
];

const desktop = { ...devices['Desktop Chrome'], viewport: { width: 1280, height: 800 } };
const mobile = {
  ...devices['Pixel 5'],
  // The narrowest width that pages have to fit (WCAG 1.4.10).
  viewport: { width: 320, height: 640 },
};

export default defineConfig({
  testDir: 'specs',
  fullyParallel: true,
  forbidOnly: Boolean(process.env['CI']),
  // A test that has to be repeated is wrong, or has found something.
  retries: 0,
  workers: 2,
  // Generous, for a machine that does something else too; what is right does not wait for it.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['html', { open: 'never' }]],
  use: {
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    // Without a graphics card each frame of an animation costs the processor. What moves has specs of its own.
    contextOptions: { reducedMotion: 'reduce' },
    actionTimeout: 20_000,
    // Nobody opens a trace where tests run unattended, and recording one is dear.
    trace: process.env['CI'] ? 'off' : 'retain-on-failure',
    launchOptions: {
      executablePath: process.env['TWOFOLD_CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    },
  },
  projects: [
    { name: 'js', use: desktop, testIgnore: [...WITHOUT_BROWSER, PICTURES] },
    {
      name: 'no-js',
      use: { ...desktop, javaScriptEnabled: false },
      testIgnore: [HYDRATED, ...WITHOUT_BROWSER, PICTURES],
    },
    { name: 'mobile', use: mobile, testMatch: ON_MOBILE },
    { name: 'postgres', use: desktop, testMatch: ON_POSTGRES },
    { name: 'http', testMatch: WITHOUT_BROWSER },
    ...(process.env['TWOFOLD_SCREENSHOTS'] ? [{ name: 'screenshots', use: desktop, testMatch: PICTURES }] : []),
  ],
});
