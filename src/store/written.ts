import {
  ColumnNode,
  type KyselyPlugin,
  type OperationNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  TableNode,
  type UnknownRow,
} from 'kysely'

/** What a statement changes. */
export interface Write {
  readonly kind: 'insert' | 'update' | 'delete'
  readonly table: string
  /** Of an update: the columns that it sets. */
  readonly columns: ReadonlySet<string>
}

/** Tells of every statement that changes something: before it is run, and where it has to be known, after it. */
export class WritesPlugin implements KyselyPlugin {
  readonly #before: ((write: Write) => void) | undefined
  readonly #after: ((write: Write) => void) | undefined
  readonly #underWay = new WeakMap<object, Write>()

  constructor(told: { readonly before?: (write: Write) => void; readonly after?: (write: Write) => void }) {
    this.#before = told.before
    this.#after = told.after
  }

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    const write = writeOf(node)
    if (write === undefined) return node
    this.#before?.(write)
    if (this.#after !== undefined) this.#underWay.set(queryId, write)
    return node
  }

  async transformResult({ result, queryId }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    const write = this.#underWay.get(queryId)
    if (write !== undefined) this.#after?.(write)
    return result
  }
}

function writeOf(node: RootOperationNode): Write | undefined {
  switch (node.kind) {
    case 'InsertQueryNode':
      return writeTo('insert', node.into)
    case 'UpdateQueryNode':
      return writeTo('update', node.table, new Set(node.updates?.map(({ column }) => columnOf(column)) ?? []))
    case 'DeleteQueryNode':
      return writeTo('delete', node.from.froms[0])
    default:
      return undefined
  }
}

function writeTo(
  kind: Write['kind'],
  table: OperationNode | undefined,
  columns: ReadonlySet<string> = none,
): Write | undefined {
  return table !== undefined && TableNode.is(table) ? { kind, table: table.table.identifier.name, columns } : undefined
}

function columnOf(node: OperationNode): string {
  return ColumnNode.is(node) ? node.column.name : ''
}

const none: ReadonlySet<string> = new Set()
