import type { Inspected } from '../inspection/inspector.ts'
import { surestFirst } from '../inspection/verdict.ts'
import type { Exchange } from './exchange.ts'

/** Keeps what was found with the exchange, for the record: as much of it as is worth a line. */
export function remember(exchange: Exchange, { findings, score }: Pick<Inspected, 'findings' | 'score'>): void {
  if (findings.length > 0)
    exchange.findings = exchange.findings.length === 0 ? findings : surestFirst([...exchange.findings, ...findings])
  exchange.score = Math.max(exchange.score, score)
}

/** The same, and what others say whom nobody waits for but the record. */
export function rememberAll(exchange: Exchange, inspected: Inspected): void {
  remember(exchange, inspected)
  const { later } = inspected
  if (later === undefined) return
  const seen = exchange.look()
  void later.then((findings) => remember(exchange, { findings, score: 0 })).finally(seen)
}

/** The same for what is looked at while it goes on. */
export function rememberLate(exchange: Exchange, inspecting: Promise<Inspected>): void {
  const seen = exchange.look()
  void inspecting.then((come) => rememberAll(exchange, come)).finally(seen)
}
