// CASL: one ability of the user who asks, built once, as its guide has it; subjects carry their type already.
import { createMongoAbility, subject } from '@casl/ability'

export async function ready(shape, rules, questions) {
  const raw = rules.map((rule) => rawRule(shape, rule, questions[0].user))
  const start = performance.now()
  const ability = createMongoAbility(raw)
  const loadMs = performance.now() - start
  const asked = questions.map(({ action, type, owner, path }) => [
    action,
    // A type alone is what it answers soonest: no condition has to be asked.
    shape === 'role' ? type : subject(shape === 'path' ? 'file' : type, { owner, path }),
  ])
  return {
    loadMs,
    decide: (at) => {
      const [action, thing] = asked[at]
      return ability.can(action, thing)
    },
  }
}

function rawRule(shape, { action, type, prefix }, user) {
  switch (shape) {
    case 'role':
      return { action, subject: type }
    case 'owner':
      return { action, subject: type, conditions: { owner: user } }
    case 'path':
      return { action, subject: 'file', conditions: { path: { $regex: `^${prefix}` } } }
  }
}
