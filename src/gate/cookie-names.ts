/** The session of a browser. */
export const sessionCookie = '__Host-gatehouse'
/** A device that its owner has signed in from before. */
export const deviceCookie = '__Host-gatehouse-device'
/** The browser that a sign-in with a provider began in. */
export const flowCookie = '__Host-gatehouse-flow'

const ours: ReadonlySet<string> = new Set([sessionCookie, deviceCookie, flowCookie])

/** Cookies that are ours to read and nobody's behind us. */
export function isOurCookie(name: string): boolean {
  return ours.has(name)
}
