/** Somebody who signs up, with names, numbers and addresses that nobody else has. */
export interface Person {
  practice: string;
  firstName: string;
  lastName: string;
  email: string;
  username: string;
  password: string;
  /** As a person types it. */
  phone: string;
  /** As the outbox has it. */
  e164: string;
}

/** Long enough to stand alone, and made of no name. */
const PASSWORD = 'seven quiet harbour lamps';

// Servers are one per worker, so what is unique in this process is unique there.
let people = 0;
let addresses = 0;

export function somebody(): Person {
  people += 1;
  // Every exchange from 300 up is valid behind 202; the lines are far apart, as people's are.
  const exchange = String(300 + (people % 200));
  const line = String((people * 379) % 10_000).padStart(4, '0');
  const username = `pat-${process.pid}-${people}`;
  return {
    practice: `Practice ${people}`,
    firstName: 'Pat',
    lastName: 'Sample',
    email: `${username}@sample.test`,
    username,
    password: PASSWORD,
    phone: `+1 (202) ${exchange}-${line}`,
    e164: `+1202${exchange}${line}`,
  };
}

/** A network address from the range for tests between networks (RFC 2544), another one each time. */
export function someAddress(): string {
  addresses += 1;
  return `198.18.${Math.floor(addresses / 250)}.${1 + (addresses % 250)}`;
}
