import type { StepAct } from './act.ts'
import type { Step, StepName } from './step.ts'
import { cutOff, sweepKeys, sweepSessions } from './steps-emergency.ts'
import { alert, freeze, report, snapshot } from './steps-house.ts'
import { notify } from './steps-letters.ts'
import { blockAddresses, disableClients, revokeKeys, rotateKeys, rotateSigningKeys } from './steps-machines.ts'
import { endSessions, lockAccounts, revokeTokens } from './steps-people.ts'

/** How each step is done. */
// biome-ignore format: a table
const acts: { readonly [Name in StepName]: StepAct<Extract<Step, { do: Name }>> } = {
  'account.lock':        lockAccounts,
  'sessions.end':        endSessions,
  'tokens.revoke':       revokeTokens,
  'address.block':       blockAddresses,
  'keys.rotate':         rotateKeys,
  'keys.revoke':         revokeKeys,
  'client.disable':      disableClients,
  'signing-keys.rotate': rotateSigningKeys,
  'changes.freeze':      freeze,
  'audit.snapshot':      snapshot,
  'alert':               alert,
  'notify':              notify,
  'incident.report':     report,
  'cut-off':             cutOff,
  'keys.sweep':          sweepKeys,
  'sessions.sweep':      sweepSessions,
}

export function actOf(step: Step): StepAct<Step> {
  return acts[step.do] as StepAct<Step>
}
