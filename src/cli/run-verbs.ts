/** The verbs of `gatehouse incident` that do something about one: a file of their own reads them. */
export const runVerbs: ReadonlySet<string> = new Set([
  'run',
  'playbooks',
  'runs',
  'approve',
  'reject',
  'undo',
  'retry',
  'emergency',
  'freeze',
  'thaw',
])
