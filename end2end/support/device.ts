import { expect, type Page } from '@playwright/test';

import type { Person } from './people.ts';
import { fill, press } from './pages.ts';
import type { Server } from './server.ts';
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

  async setPin(pin = PIN) {
    await fill(this.page, { 'PIN': pin, 'Confirm PIN': pin });
    await press(this.page, 'Set PIN');
  }

  async unlock(pin = PIN) {
    await fill(this.page, { PIN: pin });
    await press(this.page, 'Unlock');
  }

  async turnOnBackup(password = BACKUP_PASSWORD) {
    await fill(this.page, { 'Backup password': password, 'Confirm backup password': password });
    await press(this.page, 'Turn On Backup');
    await expect(this.page.getByText('Backed up')).toBeVisible();
  }

  /** From nothing to the token. */
  async setUp(person: Person) {
    await this.open();
    await press(this.page, 'Add Account');
    await this.register(person);
    await this.setPin();
    await press(this.page, 'Not Now');
    await this.token();
  }

  /** The token that is shown, read from the name that a screen reader says. */
  async token(): Promise<string> {
    const token = this.page.getByRole('button', { name: /^Token for .*: \d/ });
    const name = (await token.getAttribute('aria-label')) ?? '';
    return name.slice(name.lastIndexOf(':')).replace(/\D/g, '');
  }

  /** A token that is not spent yet: the next one, once the present one is. */
  async freshToken(): Promise<string> {
    const before = await this.token();
    await this.server.advance(30);
    await this.sync();
    await expect(async () => expect(await this.token()).not.toBe(before)).toPass();
    return this.token();
  }

  /** Has the device ask the server now, as it does when the network comes back. */
  async sync() {
    const answered = this.page.waitForResponse('**/api/sync_device');
    await this.page.evaluate(() => window.dispatchEvent(new Event('online')));
    await answered;
  }
}
