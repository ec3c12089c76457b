import type { Finding } from '../inspection/finding.ts'
import type { Inspected } from '../inspection/inspector.ts'
import { surestFirst } from '../inspection/verdict.ts'
import type { Exchange } from './exchange.ts'

/** Keeps what was found with the exchange, for the record: as much of it as is worth a line. */
export function remember(exchange: Exchange, { findings, score }: Pick<Inspected, 'findings' | 'score'>): void {
  if (findings.length > 0)
    exchange.findings = exchange.findings.length === 0 ? findings : surestFirst([...exchange.findings, ...findings])
  exchange.score = Math.max(exchange.score, score)
}

/** The same for what nobody waits for: it stands in the record where it comes before the end of the exchange. */
export function rememberLater(exchange: Exchange, later: Promise<readonly Finding[]>): void {
  void later.then((findings) => remember(exchange, { findings, score: 0 }))
}
