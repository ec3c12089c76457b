import type { Exchange } from '../../gate/exchange.ts'
import type { PageDraft } from '../../gate/routes.ts'
import type { Outbound } from '../../http/message.ts'
import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Desk } from '../desk/desk.ts'
import type { WaitingDevice } from '../desk/devices.ts'
import { isRefusal } from '../desk/guard.ts'
import { deviceName } from '../desk/letters.ts'
import { visitorOf } from '../desk/visitor.ts'
import { keepsCookies, queryOf, readForm, seeOther } from '../pages/asked.ts'
import { type Page, pageResponse } from '../pages/stationery.ts'
import { deviceCode, deviceConfirm, deviceDone } from '../pages/views-consent.ts'
import type { Described } from './described.ts'

interface DeviceParts {
  readonly desk: Desk
  readonly described: Described
  readonly shown: PageDraft['shown']
  readonly page: (acceptLanguage: string | undefined) => Page
}

/** Where people bring the code of a device (RFC 8628 §3.3). */
export const devicePath = '/auth/device'

/** The code, the question, the answer. A code in the address is only typed in: it is asked about like any other (§5.4). */
export function devicePages({ desk, described, shown, page }: DeviceParts): readonly PageDraft[] {
  const { devices } = desk
  if (devices === undefined) throw new Error('the desk knows no devices')
  const pageFor = ({ request }: Exchange): Page => page(request.head.acceptLanguage)

  return [
    { method: 'GET', path: devicePath, limit: 'general', answerer: ask, shown },
    { method: 'POST', path: devicePath, limit: 'authentication', answerer: take, shown },
  ]

  function ask(exchange: Exchange): Outbound | Refusal {
    if (!keepsCookies(exchange)) return refuse('https-required')
    const code = queryOf(exchange).optional('user_code')?.slice(0, 40)
    if (!isHere(exchange)) return toSignIn(code)
    return pageResponse(200, deviceCode(pageFor(exchange), { action: devicePath, code, wrong: false }))
  }

  async function take(exchange: Exchange): Promise<Outbound | Refusal> {
    const fields = await readForm(exchange)
    if (isRefusal(fields)) return fields
    const code = fields.get('user_code').slice(0, 40)
    if (!isHere(exchange)) return toSignIn(code)
    const visitor = visitorOf(exchange)
    const decision = fields.optional('decision')
    if (decision === undefined) {
      const device = await devices?.find(visitor, code)
      if (device === undefined || isRefusal(device)) return wrong(exchange, code)
      return confirm(exchange, code, device)
    }
    if (decision !== 'allow' && decision !== 'deny')
      return refuse('bad-request', { detail: 'expected `decision` to be `allow` or `deny`' })
    const refused = await devices?.answer(visitor, code, decision === 'allow')
    if (refused?.code === 'link-invalid') return wrong(exchange, code)
    return refused ?? pageResponse(200, deviceDone(pageFor(exchange), { allowed: decision === 'allow' }))
  }

  function wrong(exchange: Exchange, code: string): Outbound {
    return pageResponse(422, deviceCode(pageFor(exchange), { action: devicePath, code, wrong: true }))
  }

  function confirm(exchange: Exchange, code: string, device: WaitingDevice): Outbound {
    const sheet = pageFor(exchange)
    return pageResponse(
      200,
      deviceConfirm(sheet, {
        action: devicePath,
        code,
        client: described.client(device.client, undefined),
        scopes: described.scopes(sheet, device.asked),
        resources: described.resources(device.asked),
        device: { name: deviceName(device.userAgent), address: device.address },
        account: described.account(exchange.principal),
      }),
    )
  }
}

/** In a browser of their own, in person. */
function isHere({ principal }: Exchange): boolean {
  return principal.credential.kind === 'browser-session' && principal.actor === undefined
}

function toSignIn(code: string | undefined): Outbound {
  const back = code === undefined ? devicePath : `${devicePath}?user_code=${encodeURIComponent(code)}`
  return seeOther(`/auth/sign-in?return_to=${encodeURIComponent(back)}`)
}
