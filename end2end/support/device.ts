import { expect, type Page } from '@playwright/test';

import type { Person } from './people.ts';
import { fill, press } from './pages.ts';
import type { Server } from './server.ts';
import type { Site } from './site.ts';
import { hydrated } from './test.ts';

export const PIN = '194-382';
export const BACKUP_PASSWORD = 'three unrelated words';

/** Twofold's own authenticator in a browser of its own. */
export class Device {
  constructor(
    private readonly server: Server,
    readonly page: Page,
  ) {}

  async open() {
    await this.page.goto('/authenticator');
    await hydrated(this.page);
  }

  /** Proves the phone; what comes next depends on what the token account has. */
  async register(person: Person, channel: 'Text Me' | 'Call Me' = 'Text Me') {
    await fill(this.page, { 'Cell phone': person.phone, 'Email': person.email });
    await press(this.page, 'OK');
    await this.sendCode(channel);
    const code = await this.server.tokenSentTo(person.e164, channel === 'Text Me' ? 'sms' : 'voice');
    await fill(this.page, { 'Verification code': code });
    await press(this.page, 'Verify');
  }

  /** Has the code sent, after the wait that other messages to the number have left. */
  private async sendCode(channel: string) {
    await this.server.advance(61);
    await press(this.page, channel);
    await expect(this.page.getByLabel('Verification code')).toBeVisible();
  }

  /** Proves the phone on a device that is not the first: another one has to approve it. */
  async ask(person: Person): Promise<string> {
    await this.open();
    await press(this.page, 'Add Account');
    await this.register(person);
    await this.expectScreen('Approve on your other device');
    return this.page.locator('.matching').innerText();
  }

  /** Proves in place of the approval that it is the owner. */
  async prove(recoveryCode: string) {
    await press(this.page, 'Use a recovery code');
    await fill(this.page, { 'Recovery code': recoveryCode });
    await press(this.page, 'Continue');
  }

  async setPin(pin = PIN) {
    // In this order: the screen before may have a field for the PIN too.
    await fill(this.page, { 'Confirm PIN': pin, 'PIN': pin });
    await press(this.page, 'Set PIN');
  }

  /** Shows once more whose device it is, for what an open one in another's hand must not do. */
  async proveByPin(pin = PIN) {
    await fill(this.page, { PIN: pin });
    await press(this.page, 'Continue');
  }

  async unlock(pin = PIN) {
    await fill(this.page, { PIN: pin });
    await press(this.page, 'Unlock');
  }

  async turnOnBackup(password = BACKUP_PASSWORD) {
    await fill(this.page, { 'Backup password': password, 'Confirm backup password': password });
    await press(this.page, 'Turn On Backup');
    await this.expectBackedUp();
  }

  /** The server has all that is here: not so while the page says "Not backed up yet". */
  async expectBackedUp() {
    await expect(this.page.getByText(/^Backed up /)).toBeVisible();
  }

  /** From nothing to the token. */
  async setUp(person: Person, backup: 'with a backup' | 'without backup' = 'without backup') {
    await this.open();
    await press(this.page, 'Add Account');
    await this.register(person);
    await this.setPin();
    if (backup === 'with a backup') {
      await this.turnOnBackup();
    } else {
      await press(this.page, 'Not Now');
    }
    await this.token();
  }

  /** From nothing to an account at another site, which needs no server. */
  async setUpAlone(site: Site, pin = PIN) {
    await this.open();
    await press(this.page, 'Add Account');
    await press(this.page, 'Add another kind of account');
    await this.setPin(pin);
    await this.expectScreen('Add an account');
    await this.typeKey(site);
  }

  /** Adds an account at another site beside those that are here. */
  async addSite(site: Site) {
    await press(this.page, 'Add Account');
    await this.typeKey(site);
  }

  private async typeKey(site: Site) {
    await press(this.page, 'Type a key');
    await fill(this.page, { 'Account name': site.name, 'Setup key': site.typed });
    await press(this.page, 'Add');
    await this.expectScreen(site.name);
  }

  /** Shows the very token that a library of another hand computes, by the server's clock or by this machine's. */
  async expectTokenOf(site: Site, now: () => Promise<number> | number = async () => this.server.now()) {
    // In one of two tries at least, both are asked within the same period.
    await expect(async () => expect(await this.token()).toBe(await site.tokenAt(await now()))).toPass();
  }

  async choose(title: string) {
    await this.page.getByRole('navigation', { name: 'Accounts' }).getByRole('button', { name: title, exact: true }).click();
    await this.expectScreen(title);
  }

  async lock() {
    await press(this.page, 'Settings');
    await press(this.page, 'Lock now');
    await this.expectScreen('Unlock');
  }

  /** The screen of that heading is shown. */
  async expectScreen(heading: string) {
    await expect(this.page.getByRole('heading', { level: 1 })).toHaveText(heading);
  }

  /** What went wrong, as the page says it. */
  async expectRefusal(text: string | RegExp) {
    await expect(this.page.getByRole('alert').filter({ hasText: text })).toBeVisible();
  }

  /** The token that is shown, read from the name that a screen reader says. */
  async token(): Promise<string> {
    const token = this.page.getByRole('group', { name: /^Token for .*: \d/ });
    await expect(token).toBeVisible();
    const name = (await token.getAttribute('aria-label')) ?? '';
    return name.slice(name.lastIndexOf(':')).replace(/\D/g, '');
  }

  /** A token that is not spent yet: the next one, once the present one is. */
  async freshToken(): Promise<string> {
    const before = await this.token();
    // Half a period more than one, so that the countdown shows when the device has the server's new time.
    await this.server.advance(45);
    await this.sync();
    await expect(async () => {
      const left = 30 - ((await this.server.now()) % 30);
      const shown = Number.parseInt(await this.page.getByRole('timer').locator('strong').innerText(), 10);
      expect(Math.min((left - shown + 30) % 30, (shown - left + 30) % 30)).toBeLessThanOrEqual(2);
      expect(await this.token()).not.toBe(before);
    }).toPass();
    return this.token();
  }

  /** Has the device ask the server now. */
  async sync() {
    const answered = this.page.waitForResponse('**/api/sync_device');
    await this.look();
    await answered;
  }

  /** Has the device look after its standing, as it does when the network comes back. */
  async look() {
    await this.page.evaluate(() => window.dispatchEvent(new Event('online')));
  }
}
