import { generate, generateSecret } from 'otplib';

interface Parameters {
  digits?: 6 | 7 | 8;
  algorithm?: 'sha1' | 'sha256' | 'sha512';
  period?: number;
}

/** An account at another site, whose tokens are computed by a library of another hand. */
export class Site {
  private readonly parameters: Required<Parameters>;

  /** Without parameters it is what sites mean that say nothing: six digits, SHA-1, 30 seconds. */
  constructor(
    readonly name: string,
    private readonly asked?: Parameters,
    readonly key = generateSecret(),
  ) {
    this.parameters = { digits: 6, algorithm: 'sha1', period: 30, ...asked };
  }

  /** What a person types: the key, or the link where the key is not all. */
  get typed(): string {
    return this.asked ? this.link : this.key;
  }

  /** The key itself. */
  get bytes(): Buffer {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const bits = [...this.key].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
    return Buffer.from((bits.match(/\d{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  }

  get link(): string {
    const { digits, algorithm, period } = this.parameters;
    const query = new URLSearchParams({
      secret: this.key,
      algorithm: algorithm.toUpperCase(),
      digits: String(digits),
      period: String(period),
    });
    return `otpauth://totp/${encodeURIComponent(this.name)}?${query.toString()}`;
  }

  async tokenAt(seconds: number): Promise<string> {
    return generate({ secret: this.key, epoch: seconds, ...this.parameters });
  }
}
