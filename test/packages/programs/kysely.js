// queries of PostgreSQL and SQLite, compiled
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'

export default async say => {
  const pg = new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: db => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
  const show = query => {
    const { sql, parameters } = query.compile()
    say([sql, parameters])
  }
  show(
    pg
      .selectFrom('person as p')
      .innerJoin('pet', 'pet.owner', 'p.id')
      .select(['p.id', 'pet.name as pet'])
      .where('p.age', '>', 18)
      .orderBy('p.id')
      .limit(5),
  )
  show(
    pg
      .insertInto('person')
      .values({ name: 'Ann', age: 42 })
      .onConflict(c => c.column('name').doNothing())
      .returning('id'),
  )
  show(
    pg
      .updateTable('person')
      .set({ age: sql`age + 1` })
      .where(eb => eb.or([eb('id', '=', 1), eb('name', 'like', 'A%')])),
  )
  show(
    pg.schema
      .createTable('pet')
      .addColumn('id', 'serial', c => c.primaryKey())
      .addColumn('name', 'varchar(20)', c => c.notNull()),
  )
  say(await pg.selectFrom('person').selectAll().execute())
  const lite = new Kysely({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: db => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  show(
    lite
      .with('old', db => db.selectFrom('person').where('age', '>', 60).selectAll())
      .deleteFrom('pet')
      .where('owner', 'in', [1, 2]),
  )
}
