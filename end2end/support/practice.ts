import { Client } from './client.ts';
import { type Person, somebody } from './people.ts';
import type { Server } from './server.ts';

/** An administrator with a practice, and people in it. */
export class Practice {
  private constructor(
    readonly server: Server,
    readonly owner: Person,
    readonly client: Client,
  ) {}

  /** A new practice; its owner has no factor. */
  static async create(server: Server): Promise<Practice> {
    const [owner, client] = [somebody(), new Client(server)];
    await client.signUp(owner);
    return new Practice(server, owner, client);
  }

  /** Proves the owner again, so that what needs a step-up may follow. */
  async stepUp() {
    await this.client.post('/api/confirm_identity', { current_password: this.owner.password });
  }

  /** Adds a member, who has no factor. */
  async add(role = 'nurse', extra: Record<string, string> = {}): Promise<Person> {
    const person = { ...somebody(), firstName: 'Nina', practice: this.owner.practice };
    const answer = await this.client.post('/api/add_staff_member', {
      first_name: person.firstName,
      last_name: person.lastName,
      email: person.email,
      username: person.username,
      new_password: person.password,
      cell_phone: person.phone,
      role,
      ...extra,
    });
    if (answer.leadsTo !== '/practice/staff') {
      throw new Error(`no member was added: ${JSON.stringify(answer)}`);
    }
    return person;
  }

  /** Adds another administrator. */
  async addAdministrator(): Promise<Person> {
    await this.stepUp();
    return this.add('office-manager', { manages_accounts: 'on' });
  }

  /** Sets the policy; what is not named is as usual. */
  async setPolicy(fields: Record<string, string>) {
    await this.stepUp();
    const roles = ['provider', 'office_manager', 'nurse', 'billing', 'staff'];
    const usual = Object.fromEntries(roles.map((role) => [role, 'optional']));
    const figures = { sms: 'five-minutes', idle: '15', lock: '0' };
    const answer = await this.client.post('/api/save_policy', { ...usual, ...figures, ...fields, act: 'save' });
    if (answer.leadsTo !== '/practice/policy') {
      throw new Error(`the policy was not saved: ${JSON.stringify(answer)}`);
    }
  }

  /** A client that is signed in as somebody without a factor. */
  async signIn(person: Person): Promise<Client> {
    const client = new Client(this.server);
    await client.logIn(person);
    return client;
  }
}
