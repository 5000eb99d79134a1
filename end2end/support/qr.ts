import type { Locator } from '@playwright/test';
import jsQR from 'jsqr';
import { PNG } from 'pngjs';

/** What a camera reads from a QR code on the screen. */
export async function readQrCode(picture: Locator): Promise<string> {
  const { data, width, height } = PNG.sync.read(await picture.screenshot());
  const code = jsQR.default(new Uint8ClampedArray(data), width, height);
  if (!code) {
    throw new Error(`no QR code in a picture of ${width} × ${height} pixels`);
  }
  return code.data;
}
