import { type Check, either, fails, holds, none, unknown } from '../check.ts'
import type { Configuration } from '../facts.ts'
import { routesThat } from '../routes.ts'
import { minuteMs, spanText } from '../spans.ts'

/** How much may be asked. */
export const limitChecks: readonly Check[] = [
  {
    id: 'limits-on',
    title: 'Requests are counted',
    area: 'limits',
    level: 'must',
    owasp: ['API4'],
    look: ({ settings: { limits } }) =>
      either(
        limits !== false,
        `${Object.values(limits === false ? {} : limits).filter((one) => one !== false).length} limits of the configuration, beside the built-in ones`,
        'all limits are off',
        'limits: {}',
      ),
  },
  {
    id: 'sign-in-limit',
    title: 'Sign-ins are counted by address',
    area: 'limits',
    level: 'must',
    owasp: ['API2', 'API4', 'API6'],
    look: ({ settings }) =>
      either(
        isOn(settings, 'authentication'),
        'by `authentication`',
        'the limit `authentication` is off',
        "limits.authentication: { limit: 20, window: '15m', by: 'ip' }",
      ),
  },
  {
    id: 'strangers-limit',
    title: 'Wrong credentials are counted by address',
    area: 'limits',
    level: 'must',
    owasp: ['API2', 'API4'],
    look: ({ settings }) =>
      either(
        isOn(settings, 'strangers'),
        'by `strangers`',
        'the limit `strangers` is off',
        "limits.strangers: { limit: 300, window: '1m', by: 'ip' }",
      ),
  },
  {
    id: 'routes-limited',
    title: 'Every route is under a limit',
    area: 'limits',
    level: 'should',
    owasp: ['API4', 'API6'],
    look: ({ settings }) => {
      if (settings.limits === false) return fails('all limits are off', 'limits: {}')
      const everywhere = Object.entries(settings.limits).flatMap(([name, one]) =>
        one !== false && one.everywhere ? [name] : [],
      )
      return everywhere.length > 0
        ? holds(`${everywhere.join(', ')} everywhere`)
        : none(
            routesThat(settings, ({ limit }) => limit === undefined),
            `${settings.routes.length} routes`,
            'no limit on',
            "routes[…].limit: 'general'; or a limit with everywhere: true",
          )
    },
  },
  {
    id: 'reports-limit',
    title: 'What is not limited by its route is limited by who asks',
    area: 'limits',
    level: 'should',
    owasp: ['API4', 'API6'],
    look: ({ settings }) =>
      either(
        isOn(settings, 'general') || everywhereIn(settings),
        'by `general`, or a limit that counts everywhere',
        'the limit `general` is off, and none counts everywhere',
        "limits.general: { limit: 1000, window: '1h' }",
      ),
  },
  {
    id: 'decisions-limit',
    title: 'Questions to the decision point are counted',
    area: 'limits',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings }) =>
      either(
        isOn(settings, 'decisions'),
        'by `decisions`',
        'the limit `decisions` is off',
        "limits.decisions: { limit: 6000, window: '1m' }",
      ),
  },
  {
    id: 'count-over-nodes',
    title: 'Limits are one count over all nodes',
    area: 'limits',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { shared } }) =>
      shared === undefined
        ? unknown('no shared count is configured: right for one node; whether there are more cannot be known from here')
        : holds('by Redis'),
  },
  {
    id: 'count-lost',
    title: 'Limits hold also while the shared count is away',
    area: 'limits',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { shared, limits } }) => {
      if (shared === undefined) return holds('each node counts for itself')
      const open = Object.entries(limits === false ? {} : limits).flatMap(([name, one]) =>
        one !== false && (one.whenDown ?? shared.whenDown) === 'open' ? [name] : [],
      )
      return shared.whenDown === 'open'
        ? fails('`shared.whenDown` is `open`', "shared.whenDown: 'local'")
        : none(open, `\`${shared.whenDown}\``, 'let everything through then', "limits.NAME.whenDown: 'local'")
    },
  },
  {
    id: 'floods-blocked',
    title: 'An address that floods the house is blocked',
    area: 'limits',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { shield } }) =>
      either(
        shield.rate !== undefined,
        (shield.rate?.thresholds ?? []).map(({ limit, window }) => `over ${limit} in ${spanText(window)}`).join(', '),
        'it is only told 429, by each limit',
        "shield.rate: { block: '1h' }",
      ),
  },
  {
    id: 'bad-addresses',
    title: 'Known bad actors are kept out',
    area: 'limits',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { shield } }) => {
      const { deny = [], denyFiles = [], allow } = shield.addresses ?? {}
      return either(
        deny.length + denyFiles.length > 0 || allow !== undefined,
        `${deny.length} networks, ${denyFiles.length} files${allow === undefined ? '' : ', and an allow list'}`,
        'no list of addresses is used',
        "shield.addresses.denyFiles: ['/etc/gatehouse/drop.txt']",
      )
    },
  },
  {
    id: 'user-agents',
    title: 'Programs that give themselves away are refused',
    area: 'limits',
    level: 'should',
    owasp: ['API4', 'API6'],
    look: ({ settings: { shield } }) =>
      either(
        shield.userAgents !== undefined,
        'by what they call themselves',
        'no program is refused by its name',
        "shield.userAgents: { refuse: 'suspicious' }",
      ),
  },
  {
    id: 'load-shed',
    title: 'Too much is refused before it waits',
    area: 'limits',
    level: 'should',
    owasp: ['API4'],
    look: ({ settings: { shield } }) =>
      either(
        shield.load !== false,
        'by how late answers and the thread are',
        'load shedding is off',
        'shield.load: {}',
      ),
  },
  {
    id: 'slow-clients',
    title: 'Slow clients hold no connection for long',
    area: 'limits',
    level: 'must',
    owasp: ['API4'],
    look: ({ settings: { listen } }) => {
      const { headersTimeout, requestTimeout, minBytesPerSecond } = listen
      const found = `heads ${spanText(headersTimeout)}, bodies ${spanText(requestTimeout)}, ${minBytesPerSecond} bytes/s at the least`
      return either(
        headersTimeout <= minuteMs && requestTimeout <= 5 * minuteMs && minBytesPerSecond > 0,
        found,
        found,
        "listen: { headersTimeout: '10s', requestTimeout: '30s', minBytesPerSecond: 500 }",
      )
    },
  },
  {
    id: 'connections',
    title: 'One address cannot hold all connections',
    area: 'limits',
    level: 'must',
    owasp: ['API4'],
    look: ({ settings: { listen } }) => {
      const found = `${listen.connectionsPerAddress} of ${listen.connections}`
      return either(
        listen.connectionsPerAddress * 2 <= listen.connections,
        found,
        found,
        'listen.connectionsPerAddress: 512',
      )
    },
  },
  {
    id: 'upstream-deadlines',
    title: 'Upstreams answer in time, or are given up',
    area: 'limits',
    level: 'should',
    owasp: ['API4', 'API10'],
    look: ({ settings: { upstreams } }) =>
      none(
        Object.entries(upstreams).flatMap(([name, { answerTimeout, idleTimeout }]) =>
          answerTimeout <= 5 * minuteMs && idleTimeout > 0 ? [] : [name],
        ),
        `${Object.keys(upstreams).length} upstreams`,
        'no deadline, or one of more than five minutes, for',
        "upstreams.NAME: { answerTimeout: '30s', idleTimeout: '5m' }",
      ),
  },
]

/** Whether a limit of the house's own counts: a configuration may say otherwise by its name. */
function isOn({ limits }: Configuration, name: string): boolean {
  return limits !== false && limits[name] !== false
}

function everywhereIn({ limits }: Configuration): boolean {
  return limits !== false && Object.values(limits).some((one) => one !== false && one.everywhere)
}
