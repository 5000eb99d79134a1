import { writeFile } from 'node:fs/promises';

import type { Browser, LaunchOptions, PlaywrightWorkerArgs } from '@playwright/test';
import { PNG } from 'pngjs';

const [WIDTH, HEIGHT] = [640, 480];
/** Pixels of the code's side, in the middle of the film. */
const SIDE = 360;
const FRAMES_A_SECOND = 10;
/** Luma of a dim wall, and of the paper's black and white: a camera sees neither black nor white. */
const [WALL, BLACK, WHITE] = [150, 40, 210];

/** A frame in YUV 4:2:0 without colour. */
function frame(luma: (x: number, y: number) => number): Buffer {
  const pixels = Buffer.alloc(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      pixels.writeUInt8(luma(x, y), y * WIDTH + x);
    }
  }
  return Buffer.concat([Buffer.from('FRAME\n'), pixels, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]);
}

/** Half a second of a wall and half a second of a paper with this picture, as YUV4MPEG2. */
function film(picture: Buffer): Buffer {
  const { data, width, height } = PNG.sync.read(picture);
  const [left, top] = [(WIDTH - SIDE) / 2, (HEIGHT - SIDE) / 2];
  const paper = frame((x, y) => {
    const [column, row] = [Math.floor(((x - left) * width) / SIDE), Math.floor(((y - top) * height) / SIDE)];
    if (column < 0 || row < 0 || column >= width || row >= height) {
      return WALL;
    }
    // Black on white, so one colour of three will do.
    return BLACK + Math.round((data.readUInt8((row * width + column) * 4) * (WHITE - BLACK)) / 255);
  });
  const half = FRAMES_A_SECOND / 2;
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FRAMES_A_SECOND}:1 Ip A1:1 C420jpeg\n`);
  return Buffer.concat([header, ...Array<Buffer>(half).fill(frame(() => WALL)), ...Array<Buffer>(half).fill(paper)]);
}

/** A browser whose camera sees this picture now and then. `path` is where its film may lie. */
export async function browserThatSees(
  picture: Buffer,
  path: string,
  { chromium }: PlaywrightWorkerArgs['playwright'],
  options: LaunchOptions,
): Promise<Browser> {
  await writeFile(path, film(picture));
  const camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${path}`];
  return chromium.launch({ ...options, args: [...(options.args ?? []), ...camera] });
}
