import { withPassword } from '../support/client.ts';
import { Server } from '../support/server.ts';
import { expect, test } from '../support/test.ts';

/** Kilobytes of the server's own data once it is idle. Its program and libraries are pages of files and not counted. */
const BUDGET = 20_000;

test('a server that has hashed passwords gives their memory back', async () => {
  const server = await Server.start();
  for (let person = 0; person < 4; person += 1) {
    await withPassword(server);
  }
  expect(await server.memory()).toBeLessThan(BUDGET);
  await server.stop();
});
