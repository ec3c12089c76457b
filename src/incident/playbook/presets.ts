/**
 * The playbooks that the house brings. None of them acts on a person or an address by itself: whoever can make guesses fail
 * could lock out, or sign out, whomever they like. A breach begins by itself with what harms nobody, and waits at the freeze. Whoever
 * is guessed at hears of it from the lockout of sign-in already.
 */
export const presets = {
  'brute-force': {
    for: ['brute-force', 'password-spraying', 'credential-stuffing'],
    steps: [{ do: 'account.lock', for: '30m' }, { do: 'sessions.end' }, { do: 'address.block', for: '1h' }],
  },
  'data-leak': { for: ['data-leak', 'key-from-new-network'], steps: [{ do: 'keys.rotate' }, { do: 'alert' }] },
  'unauthorised-access': {
    for: ['unauthorised-access', 'impossible-travel', 'token-reuse'],
    steps: [{ do: 'account.lock', for: '24h' }, { do: 'notify' }, { do: 'alert' }],
  },
  'privilege-escalation': {
    for: ['privilege-escalation'],
    steps: [{ do: 'tokens.revoke' }, { do: 'notify' }, { do: 'alert' }],
  },
  'data-breach': {
    for: ['data-breach'],
    automatic: true,
    steps: [
      { do: 'audit.snapshot' },
      { do: 'alert' },
      { do: 'incident.report' },
      { do: 'changes.freeze', approval: true },
      { do: 'notify', approval: true },
    ],
  },
} as const
