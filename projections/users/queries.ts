import type { Role } from '../../schemas/events/user.ts';
import type { UserId } from '../../schemas/ids.ts';
import type { Sql } from '../ports/read-model-database.ts';
import { UserDocument, userTable } from './tables.ts';

/** For signing in: the user who has this address, whatever its case, with the sealed hash of the password. */
export const userByEmail = async (sql: Sql, email: string): Promise<UserDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${userTable} WHERE lower(doc->>'email') = lower($1) ORDER BY key LIMIT 1`,
    [email],
  );
  return rows[0] === undefined ? null : UserDocument.parse(rows[0].doc);
};

export const userById = async (sql: Sql, userId: UserId): Promise<UserDocument | null> => {
  const { rows } = await sql.query<{ doc: unknown }>(`SELECT doc FROM ${userTable} WHERE key = $1`, [userId]);
  return rows[0] === undefined ? null : UserDocument.parse(rows[0].doc);
};

export interface UserFilter {
  /** Lists of people are for administrators; anybody else sees themselves. */
  readonly userId: UserId | 'all';
  /** Part of the name or address, or the beginning of the id. */
  readonly search?: string;
  readonly role?: Role;
  readonly status?: 'active' | 'suspended';
  /** Keyset paging: users older than this one. */
  readonly before?: UserId;
  readonly limit: number;
}

/** Users, newest first, without their credentials. */
export const listUsers = async (
  sql: Sql,
  { userId, search, role, status, before, limit }: UserFilter,
): Promise<readonly Omit<UserDocument, 'passwordHash'>[]> => {
  const { rows } = await sql.query<{ doc: unknown }>(
    `SELECT doc FROM ${userTable}
     WHERE ($1 = 'all' OR key = $1)
       AND ($2::text IS NULL OR strpos(lower(doc->>'displayName'), lower($2)) > 0 OR strpos(lower(doc->>'email'), lower($2)) > 0 OR starts_with(key, $2))
       AND ($3::text IS NULL OR doc->>'role' = $3) AND ($4::text IS NULL OR (doc->>'suspended')::boolean = ($4 = 'suspended')) AND ($5::text IS NULL OR key < $5)
     ORDER BY key DESC LIMIT $6`,
    [userId, search ?? null, role ?? null, status ?? null, before ?? null, limit],
  );
  return rows.map(({ doc }) => {
    const { passwordHash: _sealed, ...user } = UserDocument.parse(doc);
    return user;
  });
};

export const countUsers = async (sql: Sql): Promise<number> => {
  const { rows } = await sql.query<{ count: bigint }>(`SELECT count(*) AS count FROM ${userTable}`);
  return Number(rows[0]?.count ?? 0);
};
