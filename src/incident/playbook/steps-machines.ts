import { isLiving, type KeyView } from '../../authn/key/key-record.ts'
import type { CutOff } from '../../authn/session/revocation-list.ts'
import { staleMs } from '../../oauth/clients.ts'
import { networkOfAddress } from '../../shield/networks.ts'
import type { Database } from '../../store/database.ts'
import { because, counted, idsOf, type StepAct, summed, type Turn } from './act.ts'
import type { Step } from './step.ts'

/** Blocks addresses; they come again by themselves. What somebody blocked before stays theirs. */
export const blockAddresses: StepAct<Extract<Step, { do: 'address.block' }>> = {
  async act(trx, { for: forMs }, turn) {
    const { blockStore, clock, note } = turn.rooms
    const networks = [...new Set(idsOf(turn.run.targets, 'address').flatMap((id) => networkOfAddress(id) ?? []))]
    if (networks.length === 0) return { skipped: 'no address is known' }
    await blockStore.hold(trx)
    const now = clock.now()
    const standing = await blockStore.among(trx, networks)
    const blocked: Record<string, number> = {}
    const skipped: string[] = []
    for (const network of networks) {
      if (standing.some((one) => one.network === network && one.source === 'administrator')) {
        skipped.push(`${network} was blocked already`)
        continue
      }
      if ((await blockStore.count(trx, 'administrator')) >= blocksMax) {
        skipped.push(`there are ${blocksMax} blocks already`)
        break
      }
      const expiresAt = now + forMs
      const [createdBy, source] = [turn.run.startedBy, 'administrator'] as const
      await blockStore.put(trx, { network, source, reason, createdBy, createdAt: now, expiresAt })
      const details = because(turn, { reason, until: new Date(expiresAt).toISOString() })
      await note(trx, {
        type: 'admin_action',
        action: 'address.block',
        resource: { id: network, type: 'address' },
        details,
      })
      blocked[network] = now
    }
    const count = Object.keys(blocked).length
    if (count === 0) return { skipped: summed('no address is blocked', skipped) }
    return {
      told: summed(`${counted(count, 'network')} blocked for ${Math.round(forMs / 1000)} s`, skipped),
      facts: { blocked },
      after: () => hear(turn),
    }
  },

  async undo(trx, facts, turn) {
    const { blockStore, note } = turn.rooms
    const blocked = facts['blocked'] as Readonly<Record<string, number>>
    await blockStore.hold(trx)
    let lifted = 0
    for (const [network, createdAt] of Object.entries(blocked)) {
      const [standing] = await blockStore.among(trx, [network])
      if (standing?.createdAt !== createdAt || standing.createdBy !== turn.run.startedBy) continue
      await blockStore.lift(trx, network)
      lifted++
      const details = because(turn, { blocked_by: standing.createdBy })
      await note(trx, {
        type: 'admin_action',
        action: 'address.lift',
        resource: { id: network, type: 'address' },
        details,
      })
    }
    return { told: `${counted(lifted, 'block')} lifted`, facts: { lifted }, after: () => hear(turn) }
  },
}

/**
 * Gives keys an end, by when their owners have to have new ones; nobody could be handed a new one from here. Keys that the house
 * keeps end at once: it makes the next ones, and writes them where they belong.
 */
export const rotateKeys: StepAct<Extract<Step, { do: 'keys.rotate' }>> = {
  async act(trx, { within }, turn) {
    const { keys, keyBook, clock, note } = turn.rooms
    const living = await keysOf(trx, turn)
    if (living.length === 0) return { skipped: 'no living API key is known' }
    const until = clock.now() + within
    const ends: Record<string, number | null> = {}
    const revoked: string[] = []
    for (const key of living) {
      const resource = { id: key.id, type: 'api-key' } as const
      if (key.managed !== undefined) {
        revoked.push(...(await keys.revoke(trx, key.id, reason, false)))
        await note(trx, {
          type: 'admin_action',
          action: 'api-key.revoke',
          resource,
          details: because(turn, { name: key.name }),
        })
      } else if (key.expiresAt === undefined || key.expiresAt > until) {
        await trx.updateTable('api_keys').set({ expires_at: until }).where('id', '=', key.id).execute()
        ends[key.id] = key.expiresAt ?? null
        const details = because(turn, { expires_at: new Date(until).toISOString(), name: key.name })
        await note(trx, { type: 'admin_action', action: 'api-key.change', resource, details })
      }
    }
    const told = [
      `${counted(Object.keys(ends).length, 'key')} end by ${new Date(until).toISOString()}`,
      `${counted(revoked.length, 'key')} of the house made anew`,
    ].join(', ')
    return { told, facts: { ends, revoked, until }, after: () => keyBook.distrust() }
  },

  async undo(trx, facts, turn) {
    const { keyBook, note } = turn.rooms
    const ends = facts['ends'] as Readonly<Record<string, number | null>>
    let restored = 0
    for (const [id, before] of Object.entries(ends)) {
      const changed = await trx
        .updateTable('api_keys')
        .set({ expires_at: before })
        .where('id', '=', id)
        .where('expires_at', '=', Number(facts['until']))
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      if (changed.numUpdatedRows === 0n) continue
      restored++
      const details = because(turn, { expires_at: before === null ? 'never' : new Date(before).toISOString() })
      await note(trx, { type: 'admin_action', action: 'api-key.change', resource: { id, type: 'api-key' }, details })
    }
    return {
      told: `${counted(restored, 'key')} live as long as before; what was revoked stays so`,
      facts: { restored },
      after: () => keyBook.distrust(),
    }
  },
}

export const revokeKeys: StepAct<Extract<Step, { do: 'keys.revoke' }>> = {
  async act(trx, _step, turn) {
    const { keys, keyBook, note } = turn.rooms
    const ended: string[] = []
    for (const { id, name } of await keysOf(trx, turn)) {
      const gone = await keys.revoke(trx, id, reason, false)
      if (gone.length === 0) continue // with the family of another
      ended.push(...gone)
      const details = because(turn, { ended: gone.toSorted().join(' '), name })
      await note(trx, { type: 'admin_action', action: 'api-key.revoke', resource: { id, type: 'api-key' }, details })
    }
    if (ended.length === 0) return { skipped: 'no living API key is known' }
    return { told: `${counted(ended.length, 'key')} revoked`, facts: { ended }, after: () => keyBook.distrust() }
  },
}

/** Turns clients of the store away, and ends their tokens. */
export const disableClients: StepAct<Extract<Step, { do: 'client.disable' }>> = {
  async act(trx, _step, turn) {
    const { clients, sessions, revocationList, clock, note } = turn.rooms
    const disabled: Record<string, number> = {}
    const cuts: CutOff[] = []
    for (const id of clients === undefined ? [] : idsOf(turn.run.targets, 'client')) {
      if (!clientForm.test(id) || !(await clients?.setDisabled(trx, id, true))) continue
      disabled[id] = (await clients?.show(trx, id))?.disabledAt ?? 0
      const { kind, subject, at } = await sessions.endAllOfClient(trx, id, reason)
      // A node that has read the client a moment ago believes it for as long.
      const cut = { kind, subject, at: Math.max(at, clock.now() + staleMs) }
      await revocationList.cut(trx, cut)
      cuts.push(cut)
      const details = because(turn, { disabled: true })
      await note(trx, { type: 'admin_action', action: 'client.change', resource: { id, type: 'client' }, details })
    }
    const count = cuts.length
    if (count === 0) return { skipped: 'no client of the store is known that was not disabled already' }
    return { told: `${counted(count, 'client')} disabled`, facts: { disabled }, after: () => heedCuts(turn, cuts) }
  },

  async undo(trx, facts, turn) {
    const { clients, sessions, note } = turn.rooms
    const cuts: CutOff[] = []
    for (const [id, at] of Object.entries(facts['disabled'] as Readonly<Record<string, number>>)) {
      const client = await clients?.show(trx, id)
      if (client?.disabledAt !== at || !(await clients?.setDisabled(trx, id, false))) continue
      cuts.push(await sessions.endAllOfClient(trx, id, 'from before the client was enabled'))
      const details = because(turn, { disabled: false })
      await note(trx, { type: 'admin_action', action: 'client.change', resource: { id, type: 'client' }, details })
    }
    const count = cuts.length
    return { told: `${counted(count, 'client')} enabled`, facts: { enabled: count }, after: () => heedCuts(turn, cuts) }
  },
}

/** Makes new signing keys. Those before verify until their last token has run out; or, `void`, nothing any more. */
export const rotateSigningKeys: StepAct<Extract<Step, { do: 'signing-keys.rotate' }>> = {
  async act(trx, { void: isVoid = false }, turn) {
    const { keyrings, note } = turn.rooms
    const made: string[] = []
    const skipped: string[] = []
    for (const { table, algorithm } of keyrings) {
      if (table === undefined) {
        skipped.push('the secret of the configuration is changed there')
        continue
      }
      const living = isVoid ? await table.living(trx) : []
      let kid = isVoid ? '' : (await table.rotate(trx, 'soon')).kid
      for (const one of living) kid = (await table.remove(trx, one.kid))?.successor ?? kid
      made.push(kid)
      for (const one of living) {
        const resource = { id: one.kid, type: 'signing-key' } as const
        await note(trx, { type: 'admin_action', action: 'signing-key.remove', resource, details: because(turn) })
      }
      const resource = { id: kid, type: 'signing-key' } as const
      await note(trx, {
        type: 'admin_action',
        action: 'signing-key.rotate',
        resource,
        details: because(turn, { algorithm }),
      })
    }
    if (made.length === 0) return { skipped: summed('no signing key is made', skipped) }
    return {
      told: summed(`${counted(made.length, 'signing key')} made${isVoid ? ', those before are void' : ''}`, skipped),
      facts: { made },
      async after() {
        for (const ring of keyrings) await ring.hear(turn.rooms.db)
      },
    }
  },
}

/** The living keys that a run is about: by themselves, or as those of a person or a service. */
async function keysOf(trx: Database, { rooms, run }: Turn): Promise<readonly KeyView[]> {
  const { keys } = rooms
  const found = new Map<string, KeyView>()
  const take = (key: KeyView | undefined): void => {
    if (key !== undefined && isLiving(key.state)) found.set(key.id, key)
  }
  for (const id of idsOf(run.targets, 'api-key')) take(await keys.show(trx, id))
  for (const type of ['user', 'service'] as const)
    for (const id of idsOf(run.targets, type)) {
      if (id.includes('\0')) continue
      let after: Parameters<typeof keys.page>[1]['after']
      do {
        const page = await keys.page(trx, { owner: { type, id }, limit: 200, after })
        for (const key of page.keys) take(key)
        after = page.next
      } while (after !== undefined)
    }
  return [...found.values()]
}

function heedCuts({ rooms }: Turn, cuts: readonly CutOff[]): void {
  for (const { kind, subject, at } of cuts) {
    rooms.clients?.forget(subject)
    rooms.revocations.cut(kind, subject, at)
  }
}

/** It holds from the next request on; where it cannot be read back now, it is heard with the rest. */
async function hear({ rooms }: Turn): Promise<void> {
  await rooms.blockBook.hear(rooms.db).catch(() => undefined)
}

/** Shown to whoever is blocked. */
const reason = 'an incident is looked into'
/** As many as administrators may have. */
const blocksMax = 10_000
const clientForm = /^[^\0]{1,2048}$/
