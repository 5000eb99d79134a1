import type { Page } from '@playwright/test';

import { withApp, withSms } from '../support/client.ts';
import { arriveAt, expectError, fill, press } from '../support/pages.ts';
import { expect, test } from '../support/test.ts';

/** Longer than a step-up counts. */
const LONG_AGO = 5 * 60 + 1;

async function toStepUp(page: Page, visit: (path: string) => Promise<unknown>, button: string) {
  await visit('/account/security');
  await press(page, button);
  await arriveAt(page, '/account/step-up');
}

test('adding an app asks for password and token, and then goes on', async ({ page, context, server, visit }) => {
  const { person, client, app } = await withApp(server);
  await server.advance(LONG_AGO);
  await client.handOver(context);
  await toStepUp(page, visit, 'Add an authenticator app');
  await fill(page, { 'Current password': person.password, 'Authorization token': await app.freshToken() });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security/authenticator');
});

test('replacing the recovery codes asks for it too, and a text message will do', async ({ page, context, server, visit }) => {
  const { person, client } = await withSms(server);
  await server.advance(LONG_AGO);
  await client.handOver(context);
  await toStepUp(page, visit, 'Replace recovery codes');
  await press(page, 'Request Token via SMS');
  await expect(page.getByRole('status')).toContainText(`Token sent to the number ending ${person.e164.slice(-2)}.`);
  await fill(page, { 'Current password': person.password, 'Authorization token': await server.tokenSentTo(person.e164) });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security/recovery-codes');
});

test('a wrong password and a wrong token get the same words, and nothing changes', async ({ page, context, server, visit }) => {
  const { person, client, app } = await withApp(server);
  await server.advance(LONG_AGO);
  await client.handOver(context);
  await toStepUp(page, visit, 'Replace recovery codes');
  const token = await app.freshToken();
  const attempts = [
    { 'Current password': 'not my password at all', 'Authorization token': token },
    { 'Current password': person.password, 'Authorization token': await app.wrongToken() },
  ];
  for (const fields of attempts) {
    await fill(page, fields);
    await press(page, 'Confirm');
    await expectError(page, 'The password or the token is not right');
    await arriveAt(page, '/account/step-up');
  }
  // The right token beside the wrong password was not used up.
  await fill(page, { 'Current password': person.password, 'Authorization token': token });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security/recovery-codes');
});

test('it counts for five minutes, and then is asked for again', async ({ page, context, server, visit }) => {
  const { person, client, app } = await withApp(server);
  await server.advance(LONG_AGO);
  await client.handOver(context);
  await toStepUp(page, visit, 'Replace recovery codes');
  await fill(page, { 'Current password': person.password, 'Authorization token': await app.freshToken() });
  await press(page, 'Confirm');
  await arriveAt(page, '/account/security/recovery-codes');

  await visit('/account/security');
  await press(page, 'Replace recovery codes');
  await arriveAt(page, '/account/security/recovery-codes');
  await server.advance(LONG_AGO);
  await toStepUp(page, visit, 'Replace recovery codes');
});

test('the same token does not step up twice', async ({ page, context, server, visit }) => {
  const { person, client, app } = await withApp(server);
  await client.handOver(context);
  const token = await app.freshToken();
  for (const isFirst of [true, false]) {
    await visit('/account/step-up?then=security');
    await fill(page, { 'Current password': person.password, 'Authorization token': token });
    await press(page, 'Confirm');
    if (isFirst) {
      await arriveAt(page, '/account/security');
    } else {
      await expectError(page, 'The password or the token is not right');
    }
  }
  expect((await server.messages(person.email))[0]?.body).toContain('A token of yours was used twice');
});
