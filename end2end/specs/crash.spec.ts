import { rm } from 'node:fs/promises';
import { setTimeout as after } from 'node:timers/promises';

import { type Answer, Client, withApp, withPassword, withSms } from '../support/client.ts';
import { withDatabase } from '../support/postgres.ts';
import { freshFolder, Server } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

/** Kills the server this many milliseconds after a request was sent: before, while and after it is served. */
const DELAYS = [0, 1, 2, 4, 6, 9, 12, 16, 21, 28, 37, 50];
/** Tells sign-ins of a round from the set-up before it. */
const ROUND = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

// Each kills and starts the server a dozen times.
test.describe.configure({ timeout: 120_000 });

const DATABASES = ['SQLite', 'PostgreSQL'] as const;

/** A server that is killed and started again on the same data. */
class Mortal {
  /** Seconds by which its clock was moved; a start sets it back, and time does not run backwards. */
  private ahead = 0;

  private constructor(
    private readonly options: { dataDir: string; databaseUrl?: string },
    public server: Server,
  ) {}

  /** Lives as long as `use` needs it. */
  static async on(database: (typeof DATABASES)[number], use: (mortal: Mortal) => Promise<void>) {
    const live = async (databaseUrl?: string) => {
      const options = { dataDir: await freshFolder(), ...(databaseUrl ? { databaseUrl } : {}) };
      const mortal = new Mortal(options, await Server.start(options));
      try {
        await use(mortal);
      } finally {
        await mortal.server.stop();
        await rm(options.dataDir, { recursive: true });
      }
    };
    await (database === 'SQLite' ? live() : withDatabase(`twofold_crash_${process.pid}`, live));
  }

  /** Sends a request, kills the server after a while, and starts it again. Returns the answer, if there was one. */
  async killDuring(request: () => Promise<Answer>, delay: number): Promise<Answer | undefined> {
    const answered = request().catch(() => undefined);
    await after(delay);
    await this.server.kill();
    const answer = await answered;
    this.server = await Server.start(this.options);
    await this.server.advance(this.ahead);
    return answer;
  }

  async advance(seconds: number) {
    this.ahead += seconds;
    await this.server.advance(seconds);
  }
}

for (const database of DATABASES) {
  test(`a server killed while it confirms a phone has done all of it or nothing, on ${database}`, async () => {
    await Mortal.on(database, async (mortal) => {
      const outcomes: string[] = [];
      for (const delay of DELAYS) {
        await test.step(`${delay} ms`, async () => {
          const { person, client } = await withPassword(mortal.server);
          await client.startEnabling(person);
          const token = await mortal.server.tokenSentTo(person.e164);
          const before = client.clone();
          const answer = await mortal.killDuring(() => client.post('/api/confirm_phone', { token }), delay);
          const seen = answer?.leadsTo === '/account/security/recovery-codes';
          [client.server, before.server] = [mortal.server, mortal.server];

          const fresh = new Client(mortal.server);
          const isOn = (await fresh.logIn(person)).leadsTo === '/login/token';
          outcomes.push(`${delay} ms: ${isOn ? 'on' : 'off'}${seen ? ', answered' : ''}`);
          if (seen) {
            expect(isOn, 'who was told that it is on finds it on').toBe(true);
            const { codes } = await client.load<{ codes: string[] }>('recovery_codes');
            expect(codes).toHaveLength(10);
          }
          if (isOn) {
            expect((await before.get('/account/security')).leadsTo, 'the cookie from before is dead').toBe('/login');
            await mortal.advance(61);
            await fresh.post('/api/request_token', { channel: 'sms' });
            const next = await mortal.server.tokenSentTo(person.e164);
            expect((await fresh.post('/api/check_token', { token: next })).leadsTo).toBe('/account/security');
            const { codes } = await fresh.load<{ codes: string[] }>('recovery_codes');
            expect(codes, 'it came with its recovery codes').toHaveLength(10);
          } else {
            const again = await before.post('/api/confirm_phone', { token });
            expect(again.leadsTo, 'the same token still confirms').toBe('/account/security/recovery-codes');
          }
        });
      }
      test.info().annotations.push({ type: 'outcomes', description: outcomes.join('; ') });
    });
  });

  test(`a server killed while it checks a token has used it up or not, and never lets it in twice, on ${database}`, async () => {
    await Mortal.on(database, async (mortal) => {
      const outcomes: string[] = [];
      for (const delay of DELAYS) {
        await test.step(`${delay} ms`, async () => {
          const { person, client: owner, app } = await withApp(mortal.server);
          const client = new Client(mortal.server, undefined, ROUND);
          await client.logIn(person);
          // The token after the one that confirmed the app; the server takes it already, as a clock that is ahead.
          const token = await app.tokenAt((await mortal.server.now()) + 30);
          const before = client.clone();
          const answer = await mortal.killDuring(() => client.post('/api/check_token', { token }), delay);
          const seen = answer?.leadsTo === '/account/security';
          for (const survivor of [client, before, owner]) {
            survivor.server = mortal.server;
          }
          if (seen) {
            expect((await client.get('/account/security')).status, 'the cookie that was given opens').toBe(200);
          }
          const replayed = await before.post('/api/check_token', { token });
          const fresh = new Client(mortal.server, undefined, ROUND);
          await fresh.logIn(person);
          const again = await fresh.post('/api/check_token', { token });
          expect(again.leadsTo, 'by now it is used').toBeUndefined();
          expect(again.status).toBe(403);

          const { browsers } = await owner.load<{ browsers: { name: string }[] }>('security');
          const admitted = browsers.filter((browser) => browser.name === 'Firefox on Linux').length;
          expect(admitted, 'one token, one session').toBe(1);
          const isLetIn = replayed.leadsTo === '/account/security';
          if (seen) {
            expect(isLetIn, 'a token that was seen to work does not work again').toBe(false);
          }
          outcomes.push(`${delay} ms: ${isLetIn ? 'not used' : 'used'}${seen ? ', answered' : ''}`);
        });
      }
      test.info().annotations.push({ type: 'outcomes', description: outcomes.join('; ') });
    });
  });

  test(`a server killed while it activates an app has a working app or none, on ${database}`, async () => {
    await Mortal.on(database, async (mortal) => {
      const outcomes: string[] = [];
      for (const delay of DELAYS) {
        await test.step(`${delay} ms`, async () => {
          const { client } = await withSms(mortal.server);
          const app = await client.startApp();
          const token = await app.freshToken();
          const before = client.clone();
          const answer = await mortal.killDuring(() => client.post('/api/confirm_app', { token }), delay);
          const seen = answer?.leadsTo === '/account/security';
          [client.server, before.server] = [mortal.server, mortal.server];

          const again = await before.post('/api/confirm_app', { token });
          const isOn = again.leadsTo !== '/account/security';
          outcomes.push(`${delay} ms: ${isOn ? 'on' : 'off'}${seen ? ', answered' : ''}`);
          if (seen) {
            expect(isOn, 'who was told that it is on finds it on').toBe(true);
            const { factors } = await client.load<{ factors: { name: string }[] }>('security');
            expect(factors.map(({ name }) => name)).toContain('Authenticator app');
          }
          if (isOn) {
            expect((await before.get('/account/security')).leadsTo, 'the cookie from before is dead').toBe('/login');
          }
        });
      }
      test.info().annotations.push({ type: 'outcomes', description: outcomes.join('; ') });
    });
  });

  test(`a server killed while it checks a recovery code has used it up or not, on ${database}`, async () => {
    await Mortal.on(database, async (mortal) => {
      const outcomes: string[] = [];
      for (const delay of DELAYS) {
        await test.step(`${delay} ms`, async () => {
          const { person, codes } = await withSms(mortal.server);
          const client = new Client(mortal.server);
          await client.logIn(person);
          const before = client.clone();
          const code = { recovery_code: codes[0] ?? '' };
          const answer = await mortal.killDuring(() => client.post('/api/check_recovery_code', code), delay);
          const seen = answer?.leadsTo === '/account/security';
          [client.server, before.server] = [mortal.server, mortal.server];
          const replayed = await before.post('/api/check_recovery_code', code);
          const isLetIn = replayed.leadsTo === '/account/security';
          outcomes.push(`${delay} ms: ${isLetIn ? 'not used' : 'used'}${seen ? ', answered' : ''}`);
          if (seen) {
            expect(isLetIn, 'a code that was seen to work does not work again').toBe(false);
            expect((await client.get('/account/security')).status, 'the cookie that was given opens').toBe(200);
          }
          const fresh = new Client(mortal.server);
          await fresh.logIn(person);
          const again = await fresh.post('/api/check_recovery_code', code);
          expect(again.status, 'by now it is used').toBe(403);
          const other = await fresh.post('/api/check_recovery_code', { recovery_code: codes[1] ?? '' });
          expect(other.leadsTo, 'the other codes still work').toBe('/account/security');
        });
      }
      test.info().annotations.push({ type: 'outcomes', description: outcomes.join('; ') });
    });
  });
}
