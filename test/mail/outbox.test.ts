import { outboxCases } from './outbox-cases.ts'

outboxCases(async () => 'sqlite::memory:')
