import type { BrowserContext } from '@playwright/test';

import { App } from './app.ts';
import { type Person, someAddress, somebody } from './people.ts';
import type { Server } from './server.ts';

/** Where an answer leads, or why it does not. */
export interface Answer {
  status: number;
  /** The path it leads to, without the query. */
  leadsTo: string | undefined;
  body: string;
}

/**
 * A client without a page, for what comes before a test: it posts what the forms post, and keeps cookies. A test that is
 * about a form uses the form.
 */
export class Client {
  readonly cookies = new Map<string, string>();

  constructor(
    public server: Server,
    readonly address = someAddress(),
    readonly userAgent = 'Twofold tests',
  ) {}

  /** Another client with the same cookies. */
  clone(): Client {
    const clone = new Client(this.server, this.address, this.userAgent);
    this.cookies.forEach((value, name) => clone.cookies.set(name, value));
    return clone;
  }

  async post(path: string, fields: Record<string, string> = {}): Promise<Answer> {
    return this.send(path, { method: 'POST', body: new URLSearchParams(fields), headers: { accept: 'application/json' } });
  }

  async get(path: string): Promise<Answer> {
    return this.send(path, { headers: { accept: 'text/html' } });
  }

  /** The answer as it came, redirects included. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('origin', this.server.url);
    headers.set('x-forwarded-for', this.address);
    headers.set('user-agent', this.userAgent);
    headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await fetch(this.server.url + path, { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0')) {
        this.cookies.delete(name);
      } else {
        this.cookies.set(name, value);
      }
    }
    return answer;
  }

  private async send(path: string, init: RequestInit): Promise<Answer> {
    const answer = await this.request(path, init);
    const location = answer.headers.get('location') ?? undefined;
    const leadsTo = location && new URL(location, this.server.url).pathname;
    return { status: answer.status, leadsTo, body: await answer.text() };
  }

  /** Posts, and fails if that was refused. */
  private async act(path: string, fields: Record<string, string> = {}): Promise<Answer> {
    const answer = await this.post(path, fields);
    if (answer.status >= 400) {
      throw new Error(`${path} was refused: ${JSON.stringify(answer)}`);
    }
    return answer;
  }

  /** What a page shows, from its `load_*` function. */
  async load<T>(page: string): Promise<T> {
    const answer = await this.act(`/api/load_${page}`);
    return (JSON.parse(JSON.parse(answer.body) as string) as { body: T }).body;
  }

  async signUp(person: Person) {
    await this.act('/api/sign_up', {
      practice_name: person.practice,
      first_name: person.firstName,
      last_name: person.lastName,
      email: person.email,
      username: person.username,
      new_password: person.password,
    });
  }

  async savePhone(person: Person) {
    await this.act('/api/update_profile', {
      first_name: person.firstName,
      last_name: person.lastName,
      cell_phone: person.phone,
    });
  }

  /** The cell phone waits for its token. */
  async startEnabling(person: Person) {
    await this.savePhone(person);
    await this.act('/api/enable_two_factor', { current_password: person.password });
  }

  /** Two-factor authentication is on, and the recovery codes are stored. Returns them. */
  async enable(person: Person): Promise<string[]> {
    await this.startEnabling(person);
    await this.act('/api/confirm_phone', { token: await this.server.tokenSentTo(person.e164) });
    const { codes } = await this.load<{ codes: string[] }>('recovery_codes');
    await this.act('/api/acknowledge_recovery_codes', { stored: 'yes' });
    return codes;
  }

  /** Begins to add an app. */
  async startApp(): Promise<App> {
    await this.act('/api/add_app');
    const { setup_key } = await this.load<{ setup_key: string }>('authenticator');
    return new App(this.server, setup_key);
  }

  /** Adds an app as a factor. */
  async addApp(): Promise<App> {
    const app = await this.startApp();
    await this.act('/api/confirm_app', { token: await app.freshToken() });
    return app;
  }

  /** The password step. */
  async logIn(person: Person): Promise<Answer> {
    return this.act('/api/log_in', { name: person.username, password: person.password });
  }

  /** Gives this client's cookies to a browser, which is then signed in. */
  async handOver(context: BrowserContext) {
    const cookies = [...this.cookies].map(([name, value]) => ({
      name,
      value,
      // A secure cookie belongs to an https address; the browser sends it to this machine all the same.
      url: this.server.url.replace('http:', 'https:'),
      httpOnly: true,
      sameSite: 'Lax' as const,
    }));
    await context.addCookies(cookies);
  }
}

/** Somebody with an account, and a client that is signed in to it. */
export interface Signed {
  person: Person;
  client: Client;
}

/** An account without a second factor. */
export async function withPassword(server: Server): Promise<Signed> {
  const [person, client] = [somebody(), new Client(server)];
  await client.signUp(person);
  return { person, client };
}

/** An account that gets its tokens by text message. */
export async function withSms(server: Server): Promise<Signed & { codes: string[] }> {
  const signed = await withPassword(server);
  const codes = await signed.client.enable(signed.person);
  return { ...signed, codes };
}

/** An account with an authenticator app beside the text messages. */
export async function withApp(server: Server): Promise<Signed & { codes: string[]; app: App }> {
  const signed = await withSms(server);
  const app = await signed.client.addApp();
  return { ...signed, app };
}
