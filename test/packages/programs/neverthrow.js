// results
import { err, errAsync, ok, okAsync, Result, ResultAsync } from 'neverthrow'

export default async say => {
  say([
    ok(1)
      .map(n => n + 1)
      .unwrapOr(0),
    err('x')
      .mapErr(text => `${text}!`)
      .unwrapOr(5),
    Result.combine([ok(1), err('a')]).isErr(),
  ])
  say(
    await okAsync(2)
      .andThen(n => (n > 1 ? okAsync(n * 2) : errAsync('small')))
      .match(
        n => n,
        text => text,
      ),
  )
  say(
    await ResultAsync.fromPromise(Promise.reject(new Error('no')), error => error.message).match(
      () => 'yes',
      text => text,
    ),
  )
}
