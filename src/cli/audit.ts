import { type Command, Usage } from './command.ts'

/** What can be done with the record, one file each. Each is given the arguments behind its name. */
const deeds: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  search: () => import('./audit-search.ts'),
  count: () => import('./audit-count.ts'),
  export: () => import('./audit-export.ts'),
  verify: () => import('./audit-verify.ts'),
  sinks: () => import('./audit-sinks.ts'),
  checkpoint: () => import('./audit-checkpoint.ts'),
  prove: () => import('./audit-prove.ts'),
  'check-proof': () => import('./audit-check-proof.ts'),
}

const usage = `usage: gatehouse audit DEED [OPTIONS]

  search      events by type, actor, result, address, resource and time
  count       how many there are of each
  export      all of them as JSON lines, CSV or OCSF
  verify      recompute the chain of events, and name the first one that is not as it was written
  sinks       where it is sent, how far each is and what keeps it
  checkpoint  sign the record as it stands now
  prove       prove to somebody else that an event is in the record
  check-proof check such a proof: it needs no house

\`gatehouse audit DEED --help\` tells the rest.`

export const command: Command = async (args, terminal) => {
  const [name = '', ...rest] = args
  if (name === '--help' || name === '-h') {
    terminal.out(usage)
    return true
  }
  const deed = Object.hasOwn(deeds, name) ? deeds[name] : undefined
  if (deed === undefined) throw new Usage(`expected a deed of the record, got \`audit ${args.join(' ')}\`\n\n${usage}`)
  return (await deed()).command(rest, terminal)
}
