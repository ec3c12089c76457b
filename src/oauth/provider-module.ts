/** The library that speaks the protocol, once it is loaded: a house without an authorization server does not pay for it. */
export type ProviderModule = typeof import('oidc-provider')
