import type { House } from '../house.ts'
import { adminEvent } from './admin-event.ts'
import { refusalText, type Terminal, Usage } from './command.ts'
import { passphrase } from './passphrase.ts'

/** Whoever may sign in first. `password` is there once, right after it was made. */
export interface FirstAdministrator {
  readonly email: string
  readonly password: string | undefined
}

/**
 * Makes an administrator for a house that has nobody, so that there is no default account to forget (INVARIANTS A59). The
 * password comes from the environment or is made up and told once; only its hash is kept.
 */
export async function firstAdministrator(
  house: House,
  { environment, random, clock }: Terminal,
): Promise<FirstAdministrator | undefined> {
  if ((await house.accounts.list(house.store.db)).length > 0) return undefined
  const { GATEHOUSE_ADMIN_EMAIL: givenEmail, GATEHOUSE_ADMIN_PASSWORD: givenPassword } = environment
  // A variable that is set to nothing says nothing.
  const email = givenEmail || 'admin@localhost'
  const password = givenPassword || passphrase(random)
  const prepared = await house.accounts.prepare({ email, name: 'Administrator' }, password)
  if ('code' in prepared) {
    const source = !givenPassword ? 'GATEHOUSE_ADMIN_EMAIL' : 'GATEHOUSE_ADMIN_EMAIL or GATEHOUSE_ADMIN_PASSWORD'
    throw new Usage(`${source}: ${refusalText(prepared)}`)
  }
  const outcome = await house.store.transaction(async (trx) => {
    const created = await house.accounts.insert(trx, prepared, [house.settings.administrator], clock.now())
    if ('account' in created)
      await house.audit.enroll(trx, adminEvent('user.create', created.account.id, { clock, random }))
    return created
  })
  house.audit.wake()
  // Where the address was taken meanwhile, another starter was quicker.
  return 'account' in outcome ? { email, password: !givenPassword ? password : undefined } : undefined
}
