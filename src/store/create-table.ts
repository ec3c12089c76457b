import { type CreateTableBuilder, sql } from 'kysely'

/** Makes a table. SQLite checks the types of columns only in a strict one. */
export async function createTable<Table extends string, Column extends string>(
  kind: 'sqlite' | 'postgres',
  table: CreateTableBuilder<Table, Column>,
): Promise<void> {
  await (kind === 'sqlite' ? table.modifyEnd(sql`strict`) : table).execute()
}
