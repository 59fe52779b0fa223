// operators, subjects, time, errors
import {
  catchError,
  combineLatest,
  concatMap,
  debounceTime,
  delay,
  filter,
  firstValueFrom,
  from,
  interval,
  lastValueFrom,
  map,
  merge,
  of,
  reduce,
  Subject,
  scan,
  take,
  throwError,
  toArray,
} from 'rxjs'

export default async say => {
  say(
    await lastValueFrom(
      from([1, 2, 3, 4]).pipe(
        filter(n => n % 2 === 0),
        map(n => n * 10),
        toArray(),
      ),
    ),
  )
  say(
    await lastValueFrom(
      interval(5).pipe(
        take(4),
        scan((a, b) => a + b, 0),
        toArray(),
      ),
    ),
  )
  say(await lastValueFrom(merge(of('b').pipe(delay(20)), of('a').pipe(delay(5))).pipe(reduce((a, b) => a + b, ''))))
  say(await firstValueFrom(throwError(() => new Error('no')).pipe(catchError(error => of(error.message)))))
  say(
    await lastValueFrom(
      combineLatest([of(1, 2), of('x')]).pipe(
        concatMap(pair => of(pair)),
        toArray(),
      ),
    ),
  )
  const subject = new Subject()
  const seen = firstValueFrom(subject.pipe(debounceTime(10)))
  for (const one of [1, 2, 3]) subject.next(one)
  say(await seen)
}
