import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** The binary under test; `cargo xtask test browser` says which. */
const PROGRAM = process.env['TWOFOLD_SERVER'] ?? resolve(import.meta.dirname, '../../target/debug/twofold');

/** A message that would have gone out. */
export interface Message {
  id: string;
  channel: 'sms' | 'voice' | 'email';
  to: string;
  body: string;
  created_at: number;
}

/** What a server is started with. */
interface Options {
  /** The folder of its data, kept when the server ends; without it a fresh one that goes with the server. */
  dataDir?: string;
  /** A PostgreSQL database in place of the SQLite file. */
  databaseUrl?: string;
}

/**
 * A development server of its own, on a port of its own. Nobody else shares its clock, so a test that moves the clock
 * disturbs no other.
 */
export class Server {
  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
    /** What it wrote into its log, for the report of a failure. */
    readonly log: string[],
    private readonly folder: string | undefined,
    /** What every command has to know. */
    private readonly settings: string[],
  ) {}

  static async start(options: Options = {}): Promise<Server> {
    const folder = options.dataDir ? undefined : await freshFolder();
    const dataDir = options.dataDir ?? folder ?? '';
    const settings = ['--dev', '--data-dir', dataDir, '--log-level', 'warn'];
    if (options.databaseUrl) {
      settings.push('--database-url', options.databaseUrl);
    }
    // Each test comes from an address of its own, by X-Forwarded-For: the send limits of one do not touch another.
    const flags = [...settings, '--listen', '127.0.0.1:0', '--trusted-proxies', '1'];
    const child = spawn(PROGRAM, ['serve', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
    const killWithUs = () => child.kill('SIGKILL');
    process.on('exit', killWithUs);
    child.on('exit', () => process.off('exit', killWithUs));

    const log: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    const url = await new Promise<string>((listening, fail) => {
      child.on('error', fail);
      child.on('exit', (code) => fail(new Error(`${PROGRAM} ended with ${code}:\n${log.join('\n')}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        log.push(line);
        const address = /^Twofold listens on (\S+),/.exec(line)?.[1];
        if (address) {
          listening(`http://${address}`);
        }
      });
    });
    const server = new Server(child, url, log, folder, settings);
    await server.untilReady();
    return server;
  }

  private async untilReady() {
    const deadline = Date.now() + 20_000;
    while (!(await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false))) {
      if (Date.now() > deadline) {
        throw new Error(`/readyz does not answer:\n${this.log.join('\n')}`);
      }
    }
  }

  /** Asks the server to end, and waits until it has. */
  async stop() {
    await this.end('SIGTERM');
    if (this.folder) {
      await rm(this.folder, { recursive: true });
    }
  }

  /** Ends the server as a power cut would. */
  async kill() {
    await this.end('SIGKILL');
  }

  private async end(signal: NodeJS.Signals) {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill(signal);
      await ended;
    }
  }

  /**
   * Kilobytes of the server's memory, by what Linux says of its process: `RssAnon` is the server's own, `VmRSS` what it has in
   * memory at all, `VmHWM` the most that this ever was.
   */
  async memory(figure: 'RssAnon' | 'VmRSS' | 'VmHWM'): Promise<number> {
    const status = await readFile(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
  }

  /** What another command of the program prints, on the server's data. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(PROGRAM, [...words, ...this.settings]);
    return stdout;
  }

  /** Moves the server's clock and returns its time, in seconds since 1970. */
  async advance(seconds: number): Promise<number> {
    const body = new URLSearchParams({ advance: String(seconds) });
    const answer = await fetch(`${this.url}/dev/clock`, { method: 'POST', body });
    const { now } = (await answer.json()) as { now: number };
    return now;
  }

  /** The server's time, in seconds since 1970. */
  async now(): Promise<number> {
    return this.advance(0);
  }

  /** What went out to a number or an address, newest first. */
  async messages(to: string): Promise<Message[]> {
    const answer = await fetch(`${this.url}/dev/outbox.json?to=${encodeURIComponent(to)}`);
    return (await answer.json()) as Message[];
  }

  /** The way to the page of a lost phone in the newest message that has one: path and query. */
  async resetLinkSentTo(to: string): Promise<string> {
    const bodies = (await this.messages(to)).map((message) => message.body);
    const [address] = /http\S+\/login\/reset\?\S+/.exec(bodies.find((body) => body.includes('/login/reset?')) ?? '') ?? [];
    if (!address) {
      throw new Error(`no link went to ${to}`);
    }
    const url = new URL(address);
    return url.pathname + url.search;
  }

  /** The token in the newest message to a number. */
  async tokenSentTo(phone: string, channel: Message['channel'] = 'sms'): Promise<string> {
    const newest = (await this.messages(phone))[0];
    const token = newest && /\b\d{6}\b/.exec(newest.body)?.[0];
    if (newest?.channel !== channel || !token) {
      throw new Error(`no ${channel} with a token went to ${phone}: ${JSON.stringify(newest)}`);
    }
    return token;
  }
}

/** A folder that nobody else uses. */
export async function freshFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'twofold-end2end-'));
}
