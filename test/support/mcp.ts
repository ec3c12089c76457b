// An MCP server as it is written by others, and a client that knows nothing but its address.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js'
import { z } from 'zod'
import { allow } from './oauth.ts'
import type { Walker } from './walker.ts'

export interface McpUpstream {
  readonly url: string
  /** The header fields of every request that reached it. */
  readonly seen: Readonly<Record<string, string | string[] | undefined>>[]
}

/** A server with one tool, `add`. It knows nothing of tokens. */
export async function startMcpServer(context: TestContext): Promise<McpUpstream> {
  const seen: McpUpstream['seen'] = []
  const server = createServer(async (request, response) => {
    seen.push(request.headers)
    const mcp = new McpServer({ name: 'sums', version: '1.0.0' })
    mcp.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
      content: [{ type: 'text', text: String(a + b) }],
    }))
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined as never })
    response.on('close', () => void transport.close().then(() => mcp.close()))
    await mcp.connect(transport as never)
    await transport.handleRequest(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

/** What an MCP client keeps, and how it sends its person to the authorization server. */
export class McpPerson implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:33418/callback'
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'A Model’s Desk',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  }
  readonly #walker: Walker
  /** Where the person was sent. */
  request: URL | undefined
  /** Where they came out. */
  back: URL | undefined
  saved: { client?: OAuthClientInformationMixed; tokens?: OAuthTokens; verifier?: string } = {}
  clientMetadataUrl?: string

  constructor(walker: Walker) {
    this.#walker = walker
  }

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.saved.client
  }

  saveClientInformation(client: OAuthClientInformationMixed): void {
    this.saved.client = client
  }

  tokens(): OAuthTokens | undefined {
    return this.saved.tokens
  }

  saveTokens(tokens: OAuthTokens): void {
    this.saved.tokens = tokens
  }

  async redirectToAuthorization(request: URL): Promise<void> {
    this.request = request
    this.back = await allow(this.#walker, request)
  }

  saveCodeVerifier(verifier: string): void {
    this.saved.verifier = verifier
  }

  codeVerifier(): string {
    return this.saved.verifier ?? ''
  }
}
