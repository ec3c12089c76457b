// Tokens that an errand was handed on by: what their `act` has to say (RFC 8693 §4.1).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actorsMax, actorsOf, handedTo } from '../../src/authn/actor.ts'
import { oauth, openDesk } from './forge.ts'

const desk = await openDesk('EdDSA', {}, { oauth })
const ofClient = { iss: oauth.issuer, client_id: 'planner', scope: 'widgets:read' }

function verdictOf(claims: object): string {
  const outcome = desk.tokens.verify(desk.mint({ claims: { ...ofClient, ...claims } }))
  return 'code' in outcome ? outcome.code : actorsOf(outcome.actor).join(' ')
}

test('A58: whoever holds a token that was handed on is who acts, and nobody does so for a client by itself', () => {
  assert.equal(verdictOf({}), '')
  assert.equal(verdictOf({ act: { sub: 'planner', act: { sub: 'tools' } } }), 'planner tools')
  for (const act of [
    { sub: 'tools' },
    { sub: 'tools', act: { sub: 'planner' } },
    { sub: 'user-1' },
    { sub: '' },
    {},
    'planner',
    null,
    { sub: 'planner', act: 'tools' },
  ])
    assert.equal(verdictOf({ act }), 'token-invalid', JSON.stringify(act))
  const alone = { sub: 'planner', sid: 'client:planner', roles: [] }
  assert.equal(verdictOf(alone), '')
  assert.equal(verdictOf({ ...alone, act: { sub: 'planner' } }), 'token-invalid')
})

test('A58: a chain has five at most, in tokens and before one is made', () => {
  const names = ['planner', 'b', 'c', 'd', 'e']
  const chain = names.toReversed().reduce<object | undefined>((act, sub) => ({ sub, act }), undefined)
  assert.equal(verdictOf({ act: chain }), names.join(' '))
  assert.equal(verdictOf({ act: { sub: 'planner', act: chain } }), 'token-invalid')
  const actor = names.toReversed().reduce<ReturnType<typeof handedTo>>((before, id) => handedTo(id, before), undefined)
  assert.equal(actorsOf(actor).length, actorsMax)
  assert.equal(handedTo('f', actor), undefined)
  assert.equal(handedTo('planner', actor), actor, 'whoever acts already is there')
})
