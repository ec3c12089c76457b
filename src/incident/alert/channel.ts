import type { Database } from '../../store/database.ts'
import type { Message } from './told.ts'

/** How a try ended. The problem is one line, and quotes nothing that a stranger wrote. */
export type Outcome = 'told' | { readonly problem: string; readonly retryAfterMs?: number }

/** A way on which people are told. Either it sends, or it posts in the transaction that says it was done. */
export type Channel =
  | { readonly kind: 'sends'; send(message: Message, signal: AbortSignal): Promise<Outcome>; close(): Promise<void> }
  | { readonly kind: 'posts'; post(trx: Database, message: Message): Promise<void> }
