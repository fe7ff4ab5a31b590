/** The one on whose behalf a query runs. Everything a scoped query may see or write follows from it. */
export interface Scope {
  /** The caller's user id; `null` on an open route, where only shared rows exist. */
  readonly userId: string | null
  /** The caller's tenant; `null` outside any, where no row of a tenant exists. */
  readonly tenantId: string | null
  /** The roles that the caller holds at this moment. */
  readonly roles: readonly string[]
  /**
   * Rows that the route's access rule opened to this caller beyond their own (`owns(Note).or(role('editor'))`):
   * by table, one key, or `'all'` on a route without a row in its address.
   */
  readonly lifted: ReadonlyMap<string, { readonly key: string } | 'all'>
  /** The revision that `If-Match` named: a change of that row succeeds only while it still has it. */
  readonly expected?: { readonly table: string; readonly key: string; readonly revision: number }
}
