import { writeFileSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { Fault } from '../kernel/error.ts'
import { lookAtMachine } from '../posture/look-at-machine.ts'
import { isReviewFormat, type ReviewFormat, reviewFormats } from '../posture/review/formats.ts'
import { type PeriodName, periodNames, periodOf, readDay } from '../posture/review/period.ts'
import { makeReview } from '../posture/review/review.ts'
import { adminEvent } from './admin-event.ts'
import { type Command, readArgs, Usage } from './command.ts'
import { houseOptions, visit } from './visit.ts'

const usage = `usage: gatehouse review weekly|monthly [--end DATE] [--format md|html|json] [--out FILE]
                 [--config FILE] [--data DIR]

What happened in a week (Monday to Sunday, ISO 8601) or a month, against the one before, in UTC: the last one that is over, or
the one in which DATE (2026-11-22) lies. Without --format it is that of FILE's ending, or Markdown. FILE is written for its
owner alone: account ids and e-mail addresses stand in it.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(
    args,
    { ...houseOptions, end: { type: 'string' }, format: { type: 'string' }, out: { type: 'string' } },
    usage,
  )
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const name = positionals.length === 1 ? periodNames.find((one) => one === positionals[0]) : undefined
  if (name === undefined) throw new Usage(usage)
  const day = values.end === undefined ? undefined : readDay(values.end)
  if (values.end !== undefined && day === undefined)
    throw new Usage(`--end: expected a day such as 2026-11-22, got \`${values.end}\``)
  const format = formatOf(values.format, values.out)
  return visit(values, terminal, async (house) => {
    const { settings, store, reading, audit } = house
    const now = terminal.clock.now()
    const period = periodOf(name satisfies PeriodName, day, now)
    await store.transaction((trx) =>
      audit.enroll(trx, {
        ...adminEvent('audit.checkpoint', '', terminal, { emails: true, period: name }),
        type: 'data_access',
        action: 'review.make',
        resource: { id: period.label, type: 'audit' },
      }),
    )
    const machine = await lookAtMachine({ environment: terminal.environment, dataDir: resolve(values.data) }, settings)
    const text = reviewFormats[format].text(
      await makeReview(period, { store: { kind: store.kind, db: reading }, settings, machine, emails: true, now }),
    )
    if (values.out === undefined) terminal.out(text.trimEnd())
    else {
      write(values.out, text)
      terminal.err(`done: ${period.label} is in ${values.out}`)
    }
    return true
  })
}

function formatOf(format: string | undefined, out: string | undefined): ReviewFormat {
  const named = format ?? (out === undefined ? '' : extname(out).slice(1))
  if (isReviewFormat(named)) return named
  if (format !== undefined) throw new Usage(`--format: expected md, html or json, got \`${format}\``)
  return 'md'
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 })
  } catch (error) {
    throw new Fault('unavailable', `cannot write \`${path}\`: ${(error as Error).message}`, error)
  }
}
