import type { Configuration, RouteFacts } from './facts.ts'

const writing = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Whether a route lets something be changed: one that names no methods takes all. */
export function writes({ methods }: RouteFacts): boolean {
  return methods === undefined || methods.some((method) => writing.has(method))
}

/** Whether it takes a body that somebody could fill. */
export function takesBody({ methods }: RouteFacts): boolean {
  return methods === undefined || methods.some((method) => method !== 'DELETE' && writing.has(method))
}

export function isPublic({ access }: RouteFacts): boolean {
  return access === 'public'
}

export function routeName({ methods, path }: RouteFacts): string {
  return `${methods?.join('|') ?? '*'} ${path}`
}

/** The names of the routes of which this is so. */
export function routesThat({ routes }: Configuration, is: (route: RouteFacts) => boolean): readonly string[] {
  return routes.filter(is).map(routeName)
}

/** Whether somebody on another machine could reach the house: it listens beyond this one, or says that it has an address. */
export function isReachable({ listen, publicUrl }: Configuration): boolean {
  return !isLoopback(listen.host) || (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname))
}

export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(host)
}
