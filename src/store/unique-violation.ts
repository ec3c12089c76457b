/** Whether a query failed because a row of that key is there already, on either database. */
export function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if ('errcode' in error) return error.errcode === 1555 || error.errcode === 2067 // SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE
  return 'code' in error && error.code === '23505'
}
