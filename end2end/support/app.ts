import { generate } from 'otplib';

import type { Server } from './server.ts';

/** Another vendor's authenticator app: six digits, SHA-1, 30 seconds, computed by a library of another hand. */
export class App {
  private lastStep = 0;

  constructor(
    private readonly server: Server,
    readonly key: string,
  ) {}

  /** The token at a time of the server. */
  async tokenAt(seconds: number): Promise<string> {
    return generate({ secret: this.key, epoch: seconds, digits: 6, period: 30, algorithm: 'sha1' });
  }

  /** A token that was not given out before. The server's clock goes on to the next one where that is needed. */
  async freshToken(): Promise<string> {
    let now = await this.server.now();
    if (step(now) <= this.lastStep) {
      now = await this.server.advance((this.lastStep + 1) * 30 - now);
    }
    this.lastStep = step(now);
    return this.tokenAt(now);
  }

  /** A token that is right at no step near now. */
  async wrongToken(): Promise<string> {
    const now = await this.server.now();
    const right = await Promise.all([-60, -30, 0, 30, 60].map((shift) => this.tokenAt(now + shift)));
    return anotherThan(...right);
  }
}

function step(seconds: number): number {
  return Math.floor(seconds / 30);
}

/** Six digits that are none of the given ones. */
export function anotherThan(...tokens: string[]): string {
  const candidates = ['000000', '111111', '222222', '333333', '444444', '555555', '666666'];
  return candidates.find((candidate) => !tokens.includes(candidate)) ?? '777777';
}
