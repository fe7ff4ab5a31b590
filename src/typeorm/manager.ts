import type {
  DeepPartial,
  EntityManager,
  EntityMetadata,
  EntityTarget,
  FindManyOptions,
  FindOptionsWhere,
  ObjectLiteral,
  SelectQueryBuilder,
} from 'typeorm'
import { predicateSql, type Resource, type RowAction, resourceOf, type Scope } from '../data/index.ts'
import { Problem } from '../errors/index.ts'
import {
  refusal,
  requireColumns,
  requireInsertable,
  requirePlain,
  stampedInsert,
  updateStamps,
} from '../orm/index.ts'
import { requireCriteria, requireValues } from './criteria.ts'

/** What rows, in which order, how many. There are no relations: they lead to rows with rules of their own. */
export type FindRows<Entity> = Pick<FindManyOptions<Entity>, 'where' | 'order' | 'select' | 'skip' | 'take'>

/** Criteria of rows. */
export type Criteria<Entity> = FindOptionsWhere<Entity> | FindOptionsWhere<Entity>[]

type JudgedAction = RowAction | 'transfer'

/**
 * The entities of a TypeORM data source as one caller may see them. It has what can be held to the row rules, and
 * nothing else: no query builder, no `query()`, no repository, no query runner.
 *
 * @see OWASP ASVS 5.0 §8.2.2, §1.2.4
 */
export class ScopedManager {
  readonly #manager: EntityManager
  readonly #resources: readonly Resource[]
  readonly #scope: Scope

  /** @param manager Of a data source on PostgreSQL or SQLite. */
  constructor(manager: EntityManager, resources: readonly Resource[], scope: Scope) {
    this.#manager = manager
    this.#resources = resources
    this.#scope = scope
  }

  /** The rows that the caller may read. */
  async find<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    options: FindRows<Entity> = {},
  ): Promise<Entity[]> {
    return await this.#select(entity, options).getMany()
  }

  /** The first of them; `null` when there is none. */
  async findOne<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    options: FindRows<Entity> & { readonly where: Criteria<Entity> },
  ): Promise<Entity | null> {
    return await this.#select(entity, { ...options, take: 1 }).getOne()
  }

  /** The first of them. @throws `NOT_FOUND` when there is none */
  async findOneOrFail<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    options: FindRows<Entity> & { readonly where: Criteria<Entity> },
  ): Promise<Entity> {
    const found = await this.findOne(entity, options)
    if (found === null) throw new Problem('NOT_FOUND', 'a query had no row')
    return found
  }

  /** How many rows the caller may read. */
  async count<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    where?: Criteria<Entity>,
  ): Promise<number> {
    return await this.#select(entity, where === undefined ? {} : { where }).getCount()
  }

  /** Whether there is such a row that the caller may read. */
  async exists<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    where: Criteria<Entity>,
  ): Promise<boolean> {
    return (await this.count(entity, where)) > 0
  }

  /**
   * Inserts rows as the caller's; all of them or none.
   *
   * @returns the rows with what the server has filled in
   * @throws `NOT_FOUND` when the rules about new rows refuse one
   */
  async insert<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    given: DeepPartial<Entity> | readonly DeepPartial<Entity>[],
  ): Promise<Entity[]> {
    const { resource, metadata } = this.#resource(entity)
    const rows: ObjectLiteral[] = []
    for (const values of [given].flat()) {
      requireValues(Object(values))
      const row = stampedInsert(resource, this.#scope, { ...Object(values) }, new Date())
      await requireInsertable(resource, row, this.#scope, (table, key, action) =>
        this.#mayReach(table, key, action),
      )
      rows.push(row)
    }
    await this.#manager.createQueryBuilder().insert().into(metadata.target).values(rows).execute()
    return rows.map((row) => this.#manager.create(entity, row as DeepPartial<Entity>))
  }

  /** Changes rows that the caller may change. @returns how many */
  async update<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    where: Criteria<Entity>,
    changes: DeepPartial<Entity>,
  ): Promise<number> {
    const { resource, metadata } = this.#resource(entity)
    requireCriteria(resource, where)
    requireValues(changes)
    const { changed, counted, isTransfer } = updateStamps(resource, Object.keys(changes), new Date())
    // The column's own name, not a value: this text is ours.
    const counters = counted.map((column) => [column, () => `"${column}" + 1`] as const)
    const builder = this.#manager
      .createQueryBuilder()
      .update(metadata.target)
      .set({ ...changes, ...changed, ...Object.fromEntries(counters) })
      .where(where)
    for (const action of isTransfer ? (['update', 'transfer'] as const) : (['update'] as const)) {
      const { text, values } = this.#rule(resource, action, resource.table)
      builder.andWhere(text, values)
    }
    return (await builder.execute()).affected ?? 0
  }

  /** Deletes rows that the caller may delete. @returns how many */
  async delete<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    where: Criteria<Entity>,
  ): Promise<number> {
    const { resource, metadata } = this.#resource(entity)
    if (resource.owner.kind === 'shared') throw refusal(`nobody may change "${resource.table}" here`)
    requireCriteria(resource, where)
    const { text, values } = this.#rule(resource, 'delete', resource.table)
    const builder = this.#manager.createQueryBuilder().delete().from(metadata.target)
    return (await builder.where(where).andWhere(text, values).execute()).affected ?? 0
  }

  /** Runs in one transaction, as the same caller. */
  async transaction<T>(run: (manager: ScopedManager) => Promise<T>): Promise<T> {
    return await this.#manager.transaction((manager) =>
      run(new ScopedManager(manager, this.#resources, this.#scope)),
    )
  }

  #select<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
    options: FindRows<Entity>,
  ): SelectQueryBuilder<Entity> {
    const { resource } = this.#resource(entity)
    const { where, order = {}, select = {}, skip, take, ...others } = options
    const unknown = Object.keys(others)
    if (unknown.length > 0) throw refusal(`"${unknown[0]}" is not offered here`)
    requireCriteria(resource, where)
    requireColumns(resource, [...Object.keys(order), ...Object.keys(select)], 'the options')
    const { text, values } = this.#rule(resource, 'read', 'holdfast_row')
    const builder = this.#manager.createQueryBuilder(entity, 'holdfast_row').setFindOptions({
      order,
      ...(where === undefined ? {} : { where }),
      ...(Object.keys(select).length === 0 ? {} : { select }),
      ...(skip === undefined ? {} : { skip }),
      ...(take === undefined ? {} : { take }),
    })
    return builder.andWhere(text, values)
  }

  #resource<Entity extends ObjectLiteral>(
    entity: EntityTarget<Entity>,
  ): { readonly resource: Resource; readonly metadata: EntityMetadata } {
    const metadata = this.#manager.connection.getMetadata(entity)
    const resource = resourceOf(this.#resources, metadata.tableName)
    requirePlain(resource)
    const renamed = metadata.columns.find(({ propertyName, databaseName }) => propertyName !== databaseName)
    if (renamed !== undefined) throw refusal(`"${renamed.propertyName}" has another name in the database`)
    if (metadata.eagerRelations.length > 0) throw refusal(`"${metadata.name}" loads relations by itself`)
    return { resource, metadata }
  }

  /** The rules as a condition with named parameters, in parentheses of its own. */
  #rule(
    resource: Resource,
    action: JudgedAction,
    at: string,
  ): { readonly text: string; readonly values: ObjectLiteral } {
    const scope = this.#scope
    const { sql, parameters } = predicateSql(this.#resources, {
      resource,
      action,
      scope,
      at,
      dialect: 'postgres',
    })
    const name = `holdfast_${action}`
    return {
      text: `(${sql.replaceAll(/\$(\d+)/g, (_, place: string) => `:${name}_${Number(place) - 1}`)})`,
      values: Object.fromEntries(parameters.map((value, index) => [`${name}_${index}`, value])),
    }
  }

  async #mayReach(table: string, key: unknown, action: RowAction): Promise<boolean> {
    const resource = resourceOf(this.#resources, table)
    const { text, values } = this.#rule(resource, action, 'holdfast_row')
    const found: unknown = await this.#manager
      .createQueryBuilder()
      .select('1', 'found')
      .from(table, 'holdfast_row')
      .where(`holdfast_row."${resource.key}" = :holdfast_key`, { holdfast_key: key })
      .andWhere(text, values)
      .getRawOne()
    return found !== undefined
  }
}
