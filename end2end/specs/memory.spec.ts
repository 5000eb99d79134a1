import { availableParallelism } from 'node:os';

import { Client, withPassword } from '../support/client.ts';
import { Server } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

/** Kilobytes of the server's own data once it is idle. Its program and libraries are pages of files and not counted. */
const IDLE = 20_000;
/** Sign-ins at the same time, and kilobytes that they may take: 19 MiB for each slot, and 64 MiB (requirements.md PW-10). */
const SIGN_INS = 200;
const BUSY = (availableParallelism() * 19 + 64) * 1024;

test('a server that has hashed passwords gives their memory back', async () => {
  const server = await Server.start();
  for (let person = 0; person < 4; person += 1) {
    await withPassword(server);
  }
  expect(await server.memory('RssAnon')).toBeLessThan(IDLE);
  await server.stop();
});

test('many sign-ins at once take the memory of a few, and the server stays well', async () => {
  const server = await Server.start();
  const before = await server.memory('VmRSS');
  let isOver = false;
  const signIns = Array.from({ length: SIGN_INS }, async (_, person) => {
    const answer = await new Client(server).post('/api/log_in', { name: `nobody-${person}`, password: 'wrong password' });
    return answer.status;
  });
  const health = (async () => {
    const seen = new Set<number>();
    while (!isOver) {
      for (const path of ['/livez', '/readyz']) {
        seen.add((await fetch(server.url + path)).status);
      }
    }
    return seen;
  })();
  const answers = new Set(await Promise.all(signIns));
  isOver = true;
  expect([...(await health)]).toEqual([200]);
  // Refused as wrong, or, on a slow machine, asked to come back.
  expect([...answers].filter((status) => ![403, 503].includes(status))).toEqual([]);
  expect(answers).toContain(403);
  expect((await server.memory('VmHWM')) - before).toBeLessThan(BUSY);
  await server.stop();
});
