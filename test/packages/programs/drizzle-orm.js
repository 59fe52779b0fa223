// tables and queries of SQLite and PostgreSQL, by a proxy driver
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm'
import { jsonb, pgTable, serial, varchar } from 'drizzle-orm/pg-core'
import { drizzle as pgDrizzle } from 'drizzle-orm/pg-proxy'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { drizzle } from 'drizzle-orm/sqlite-proxy'

export default async say => {
  const users = sqliteTable('users', {
    id: integer('id').primaryKey({ autoIncrement: true }),
    name: text('name').notNull(),
    age: integer('age'),
  })
  const posts = sqliteTable('posts', { id: integer('id').primaryKey(), by: integer('by').references(() => users.id), title: text('title') })
  const db = drizzle(async (text, params, method) => {
    say([method, text, params])
    return { rows: [[1, 'Ann', 42]] }
  })
  say(
    await db
      .select()
      .from(users)
      .where(and(gt(users.age, 18), eq(users.name, 'Ann')))
      .orderBy(asc(users.id))
      .limit(3),
  )
  say(db.select({ title: posts.title, by: users.name }).from(posts).leftJoin(users, eq(posts.by, users.id)).toSQL())
  say(db.insert(users).values({ name: 'Bob' }).onConflictDoNothing().returning().toSQL())
  say(
    db
      .update(users)
      .set({ age: sql`${users.age} + 1` })
      .where(inArray(users.id, [1, 2]))
      .toSQL(),
  )
  const notes = pgTable('notes', { id: serial('id').primaryKey(), title: varchar('title', { length: 20 }), more: jsonb('more') })
  const pg = pgDrizzle(async () => ({ rows: [] }))
  say(
    pg
      .insert(notes)
      .values({ title: 'a', more: { b: 1 } })
      .returning({ id: notes.id })
      .toSQL(),
  )
}
