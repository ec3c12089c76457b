import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createTable } from './create-table.ts'

/** What was noticed, and what was done about it. */
export function migration0010(kind: 'sqlite' | 'postgres'): Migration {
  const integer = kind === 'sqlite' ? 'integer' : 'bigint'

  async function up({ schema }: Kysely<unknown>): Promise<void> {
    await createTable(
      kind,
      schema
        .createTable('detection_memory')
        .addColumn('rule', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('at', integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('detection_memory_key', ['rule', 'key', 'value']),
    )
    await schema.createIndex('detection_memory_at').on('detection_memory').column('at').execute()
    await createTable(
      kind,
      schema
        .createTable('incidents')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('type', 'text', (column) => column.notNull())
        .addColumn('severity', 'text', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('cause', 'text', (column) => column.notNull())
        .addColumn('title', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('details', 'text', (column) => column.notNull())
        .addColumn('targets', 'text', (column) => column.notNull())
        .addColumn('occurrences', integer, (column) => column.notNull())
        .addColumn('began_at', integer, (column) => column.notNull())
        .addColumn('last_at', integer, (column) => column.notNull())
        .addColumn('detected_at', integer, (column) => column.notNull())
        .addColumn('acknowledged_at', integer)
        .addColumn('contained_at', integer)
        .addColumn('resolved_at', integer)
        .addColumn('assignee', 'text')
        .addColumn('entries', integer, (column) => column.notNull())
        .addColumn('version', integer, (column) => column.notNull()),
    )
    await schema
      .createIndex('incidents_open_cause')
      .unique()
      .on('incidents')
      .column('cause')
      .where(sql.ref('status'), '!=', sql.lit('resolved'))
      .execute()
    await schema.createIndex('incidents_cause').on('incidents').columns(['cause', 'detected_at']).execute()
    await schema.createIndex('incidents_detected_at').on('incidents').columns(['detected_at', 'id']).execute()
    await createTable(
      kind,
      schema
        .createTable('incident_entries')
        .addColumn('incident_id', 'text', (column) => column.notNull().references('incidents.id').onDelete('cascade'))
        .addColumn('position', integer, (column) => column.notNull())
        .addColumn('at', integer, (column) => column.notNull())
        .addColumn('actor', 'text', (column) => column.notNull())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('text', 'text', (column) => column.notNull())
        .addColumn('details', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('incident_entries_key', ['incident_id', 'position']),
    )
    await createTable(
      kind,
      schema
        .createTable('incident_events')
        .addColumn('incident_id', 'text', (column) => column.notNull().references('incidents.id').onDelete('cascade'))
        .addColumn('seq', integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('incident_events_key', ['incident_id', 'seq']),
    )
    await createTable(
      kind,
      schema
        .createTable('playbook_runs')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('playbook', 'text', (column) => column.notNull())
        .addColumn('incident_id', 'text', (column) => column.references('incidents.id').onDelete('cascade'))
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('targets', 'text', (column) => column.notNull())
        .addColumn('on_failure', 'text', (column) => column.notNull())
        .addColumn('reason', 'text', (column) => column.notNull())
        .addColumn('started_by', 'text', (column) => column.notNull())
        .addColumn('started_at', integer, (column) => column.notNull())
        .addColumn('ended_at', integer)
        .addColumn('holder', 'text', (column) => column.notNull())
        .addColumn('held_until', integer, (column) => column.notNull()),
    )
    await schema.createIndex('playbook_runs_started_at').on('playbook_runs').columns(['started_at', 'id']).execute()
    await schema.createIndex('playbook_runs_status').on('playbook_runs').column('status').execute()
    await schema.createIndex('playbook_runs_incident').on('playbook_runs').column('incident_id').execute()
    await createTable(
      kind,
      schema
        .createTable('playbook_steps')
        .addColumn('run_id', 'text', (column) => column.notNull().references('playbook_runs.id').onDelete('cascade'))
        .addColumn('number', integer, (column) => column.notNull())
        .addColumn('step', 'text', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('outcome', 'text', (column) => column.notNull())
        .addColumn('approved_by', 'text')
        .addColumn('done_at', integer)
        .addColumn('undo_at', integer)
        .addColumn('undone_at', integer)
        .addPrimaryKeyConstraint('playbook_steps_key', ['run_id', 'number']),
    )
    await schema.createIndex('playbook_steps_undo_at').on('playbook_steps').column('undo_at').execute()
    await schema.alterTable('users').addColumn('lock_mark', 'text').execute()
    await createTable(
      kind,
      schema
        .createTable('alerts')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('incident_id', 'text', (column) => column.notNull().references('incidents.id').onDelete('cascade'))
        .addColumn('channel', 'text', (column) => column.notNull())
        .addColumn('occasion', 'text', (column) => column.notNull())
        .addColumn('version', integer, (column) => column.notNull())
        .addColumn('content', 'text', (column) => column.notNull())
        .addColumn('due_at', integer, (column) => column.notNull())
        .addColumn('first_due_at', integer, (column) => column.notNull())
        .addColumn('tries', integer, (column) => column.notNull())
        .addColumn('tried_at', integer)
        .addColumn('message', 'text')
        .addColumn('sent_at', integer)
        .addColumn('given_up_at', integer)
        .addColumn('problem', 'text')
        .addUniqueConstraint('alerts_once', ['incident_id', 'channel', 'occasion']),
    )
    await schema.createIndex('alerts_due_at').on('alerts').columns(['channel', 'due_at']).execute()
    await schema.createIndex('alerts_tried_at').on('alerts').columns(['channel', 'tried_at']).execute()
  }

  return { up }
}
