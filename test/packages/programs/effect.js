// generators, errors, services, schedules, options, schemas
import { Context, Duration, Effect, Layer, Option, pipe, Result, Schedule, Schema } from 'effect'

export default async say => {
  const Greeter = Context.Service('Greeter')
  const live = Layer.succeed(Greeter, { greet: name => `hello ${name}` })
  const program = Effect.gen(function* () {
    const greeter = yield* Greeter
    yield* Effect.sleep(Duration.millis(5))
    return greeter.greet(yield* Effect.succeed('Ann'))
  })
  say(await Effect.runPromise(Effect.provide(program, live)))
  let tries = 0
  const flaky = Effect.suspend(() => (++tries < 3 ? Effect.fail('not yet') : Effect.succeed(tries)))
  say(await Effect.runPromise(Effect.retry(flaky, Schedule.recurs(5))))
  say(await Effect.runPromise(Effect.all([Effect.succeed(1), Effect.succeed(2)], { concurrency: 2 })))
  say(Result.isFailure(Effect.runSync(Effect.result(Effect.fail('x')))))
  say(
    pipe(
      Option.some(2),
      Option.map(n => n + 1),
      Option.getOrElse(() => 0),
    ),
  )
  const User = Schema.Struct({ name: Schema.NonEmptyString, tags: Schema.Array(Schema.String) })
  say(Schema.decodeUnknownSync(User)({ name: 'Ann', tags: ['a'] }))
  say(Result.isFailure(await Effect.runPromise(Effect.result(Schema.decodeUnknownEffect(User)({ name: '', tags: 1 })))))
}
