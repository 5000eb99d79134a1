import type { Page } from '@playwright/test';

/** Writes of the vault that the page has not been told of. */
interface Held {
  tell: (() => void)[];
  release: () => void;
}

declare global {
  interface Window {
    heldWrites?: Held;
  }
}

/** Tells the page of no write of its vault until `release`, as a slow disk would. */
export class SlowDisk {
  private constructor(private readonly page: Page) {}

  static async of(page: Page): Promise<SlowDisk> {
    await page.evaluate(() => {
      const written = new WeakSet<IDBTransaction>();
      const put = IDBObjectStore.prototype.put;
      const complete = Object.getOwnPropertyDescriptor(IDBTransaction.prototype, 'oncomplete');
      if (!complete?.set) {
        throw new Error('a transaction without oncomplete');
      }
      const { set } = complete;
      const tell: Held['tell'] = [];
      let isHeld = true;
      IDBObjectStore.prototype.put = function (value: unknown, key?: IDBValidKey) {
        if (key === 'file') {
          written.add(this.transaction);
        }
        return put.call(this, value, key);
      };
      Object.defineProperty(IDBTransaction.prototype, 'oncomplete', {
        ...complete,
        set(this: IDBTransaction, handler: (event: Event) => void) {
          set.call(this, (event: Event) => {
            const told = () => handler.call(this, event);
            if (isHeld && written.has(this)) {
              tell.push(told);
            } else {
              told();
            }
          });
        },
      });
      const release = () => {
        isHeld = false;
        tell.splice(0).forEach((told) => told());
      };
      window.heldWrites = { tell, release };
    });
    return new SlowDisk(page);
  }

  /** Waits until so many writes are held. */
  async holds(count: number) {
    await this.page.waitForFunction((wanted) => window.heldWrites?.tell.length === wanted, count);
  }

  async release() {
    await this.page.evaluate(() => window.heldWrites?.release());
  }
}
