import pg from 'pg';

const VARIABLE = 'TWOFOLD_TEST_POSTGRES_URL';

/** A database of its own in the PostgreSQL of the test run, which goes when `use` is done with it. */
export async function withDatabase(name: string, use: (url: string) => Promise<void>) {
  const admin = process.env[VARIABLE];
  if (!admin) {
    throw new Error(`no PostgreSQL: run \`cargo xtask test browser\`, which starts one, or set ${VARIABLE}`);
  }
  await run(admin, `CREATE DATABASE ${name}`);
  try {
    const url = new URL(admin);
    url.pathname = `/${name}`;
    await use(url.toString());
  } finally {
    await run(admin, `DROP DATABASE ${name} WITH (FORCE)`);
  }
}

async function run(url: string, statement: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
