import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** What the record of events is searched by and vouched for with, and who has read how far in it. */
export function migration0009(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    await schema
      .alterTable('audit_events')
      .addColumn('resource_type', 'text', (column) => column.notNull().defaultTo(''))
      .execute()
    await schema
      .alterTable('audit_events')
      .addColumn('resource', 'text', (column) => column.notNull().defaultTo(''))
      .execute()
    await repeatResources(db as Kysely<Before>)
    await schema.createIndex('audit_events_at').on('audit_events').columns(['at', 'seq']).execute()
    for (const column of ['type', 'actor', 'address', 'request_id'] as const)
      await schema.createIndex(`audit_events_${column}`).on('audit_events').columns([column, 'at', 'seq']).execute()
    // Requests are most of all events, and their routes few: an index of them would cost each request, and lead to nobody.
    await schema
      .createIndex('audit_events_resource')
      .on('audit_events')
      .columns(['resource', 'at', 'seq'])
      .where(sql.ref('resource_type'), '!=', 'route')
      .execute()
    await createTable(
      kind,
      schema
        .createTable('data_keys')
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('purpose', 'text', (column) => column.notNull())
        .addColumn('wrapped', 'text')
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('destroyed_at', integer)
        .addPrimaryKeyConstraint('data_keys_key', ['subject', 'purpose']),
    )
    await createTable(
      kind,
      schema
        .createTable('audit_tree')
        .addColumn('level', 'integer', (column) => column.notNull())
        .addColumn('position', integer, (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('audit_tree_key', ['level', 'position']),
    )
    await createTable(
      kind,
      schema
        .createTable('audit_checkpoints')
        .addColumn('size', integer, (column) => column.primaryKey())
        .addColumn('at', integer, (column) => column.notNull())
        .addColumn('root', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('note', 'text', (column) => column.notNull()),
    )
    await createTable(
      kind,
      schema
        .createTable('audit_followers')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('seq', integer, (column) => column.notNull())
        .addColumn('holder', 'text', (column) => column.notNull())
        .addColumn('beat', integer, (column) => column.notNull())
        .addColumn('failures', integer, (column) => column.notNull())
        .addColumn('failing_since', integer)
        .addColumn('problem', 'text')
        .addColumn('lost_at', integer)
        .addColumn('updated_at', integer, (column) => column.notNull()),
    )
    await createTable(
      kind,
      schema
        .createTable('audit_parked')
        .addColumn('follower', 'text', (column) => column.notNull())
        .addColumn('seq', integer, (column) => column.notNull())
        .addColumn('at', integer, (column) => column.notNull())
        .addColumn('problem', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('audit_parked_key', ['follower', 'seq']),
    )
  }

  return { up }
}

interface Before {
  audit_events: { seq: number; body: string; resource_type: string; resource: string }
}

/** What was chained before there were these columns gets them too. */
async function repeatResources(db: Kysely<Before>): Promise<void> {
  for (let last = 0; ; ) {
    const page = await db
      .selectFrom('audit_events')
      .select(['seq', 'body'])
      .where('seq', '>', last)
      .orderBy('seq')
      .limit(1_000)
      .execute()
    for (const { seq, body } of page) {
      const { resource } = JSON.parse(body) as { readonly resource: { readonly id: string; readonly type: string } }
      await db
        .updateTable('audit_events')
        .set({ resource_type: resource.type, resource: resource.id.replaceAll('\0', '\ufffd') })
        .where('seq', '=', seq)
        .execute()
    }
    const end = page.at(-1)
    if (end === undefined) return
    last = end.seq
  }
}
